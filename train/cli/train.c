/* weir train. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/commands.h"

int cmd_train(int argc, char **argv) {
    (void)argc, (void)argv;
    return command_failed("train", weir_fail(WEIR_ERROR_UNSUPPORTED, "not in this build"));
}
