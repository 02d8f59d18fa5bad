/* weir data. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/commands.h"

int cmd_data(int argc, char **argv) {
    (void)argc, (void)argv;
    return command_failed("data", weir_fail(WEIR_ERROR_UNSUPPORTED, "not in this build"));
}
