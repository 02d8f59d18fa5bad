/* weir-keras: reads and writes the files of Keras for libweir, see stream.h. Nobody needs to start it
 * by hand. SPDX-License-Identifier: Apache-2.0 */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/keras/work.h"

int main(int argc, char **argv) {
    const char *work = argc == 2 ? argv[1] : "";
    const int reads = strcmp(work, "read") == 0, writes = strcmp(work, "write") == 0;
    if (!reads && !writes) {
        fputs("usage: weir-keras read|write\n"
              "Reads or writes a file of Keras, from standard input to standard output, for "
              "libweir.\n",
              stderr);
        return 2;
    }
    /* Errors are told in Weir's own words, and a file must not bring code of its own. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
    if (reads)
        keras_read();
    else
        keras_write();
    _exit(EXIT_SUCCESS); /* nothing is left to tidy, least of all by HDF5 in a damaged file */
}
