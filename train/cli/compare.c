/* weir compare. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/commands.h"

int cmd_compare(int argc, char **argv) {
    (void)argc, (void)argv;
    return command_failed("compare", weir_fail(WEIR_ERROR_UNSUPPORTED, "not in this build"));
}
