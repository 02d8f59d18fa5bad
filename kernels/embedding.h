/* What the ops over embedded tokens share. Internal. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_EMBEDDING_H
#define WEIR_EMBEDDING_H

#include "kernels/kernels.h"

weir_status weir_embedding_check(const char *op, const weir_embedding *p);
/* p is checked and p->N > 0. */
weir_status weir_embedding_tokens(const char *op, const weir_embedding *p, const int32_t *tokens);
/* The backward pass of call into call->dtable. */
weir_status weir_embedding_sum(weir_runtime *rt, const weir_embedding_call *call);

#endif
