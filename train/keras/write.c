/* weir-keras write. SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <hdf5.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/keras/answer.h"
#include "train/keras/stream.h"
#include "train/keras/work.h"

/* Memory of the file grows by this much at a time. */
enum { GROWTH = 8 << 20 };

static void take(void *out, size_t bytes) {
    char *to = out;
    while (bytes > 0) {
        const ssize_t n = read(STDIN_FILENO, to, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) answer_fail(WEIR_ERROR_FORMAT, "the input ends too early");
        to += n;
        bytes -= (size_t)n;
    }
}

static uint32_t take_number(uint32_t max) {
    uint32_t number;
    take(&number, sizeof number);
    if (number > max && number != KERAS_GROUP)
        answer_fail(WEIR_ERROR_FORMAT, "the input has %u, accepted: at most %u", number, max);
    return number;
}

static noreturn void failed(const char *what) {
    answer_fail(WEIR_ERROR_SYSTEM, "HDF5 can't make %s", what);
}

/* Without times, so that the same weights give the same bytes. */
static hid_t properties(hid_t class) {
    const hid_t p = H5Pcreate(class);
    if (p < 0 || H5Pset_obj_track_times(p, false) < 0) failed("properties");
    return p;
}

/* Links through groups that are made when they are not there. */
static hid_t links(void) {
    const hid_t p = H5Pcreate(H5P_LINK_CREATE);
    if (p < 0 || H5Pset_create_intermediate_group(p, true) < 0) failed("properties");
    return p;
}

static void write_tensor(hid_t file, hid_t link, const char *path, uint32_t rank) {
    int64_t sizes[KERAS_RANK_MAX];
    hsize_t dims[KERAS_RANK_MAX];
    size_t floats = 1;
    take(sizes, rank * sizeof *sizes);
    for (uint32_t i = 0; i < rank; i++) {
        dims[i] = (hsize_t)sizes[i];
        if (__builtin_mul_overflow(floats, (size_t)sizes[i], &floats) ||
            floats > SIZE_MAX / sizeof(float))
            answer_fail(WEIR_ERROR_FORMAT, "%s: too large", path);
    }
    float *data = allocate(floats * sizeof *data);
    take(data, floats * sizeof *data);
    const hid_t space = H5Screate_simple((int)rank, dims, NULL), p = properties(H5P_DATASET_CREATE);
    const hid_t set = H5Dcreate2(file, path, H5T_IEEE_F32LE, space, link, p, H5P_DEFAULT);
    if (set < 0 || H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        failed(path);
    H5Dclose(set);
    H5Pclose(p);
    H5Sclose(space);
    free(data);
}

static void write_group(hid_t file, hid_t link, const char *path) {
    const hid_t p = properties(H5P_GROUP_CREATE);
    const hid_t group = H5Gcreate2(file, path, link, p, H5P_DEFAULT);
    if (group < 0) failed(path);
    H5Gclose(group);
    H5Pclose(p);
}

static hid_t create(void) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), p = properties(H5P_FILE_CREATE);
    if (access < 0 || H5Pset_fapl_core(access, GROWTH, false) < 0) failed("a file in memory");
    const hid_t file = H5Fcreate("weights", H5F_ACC_TRUNC, p, access);
    if (file < 0) failed("a file");
    H5Pclose(p);
    H5Pclose(access);
    return file;
}

void keras_write(void) {
    if (take_number(KERAS_MAGIC) != KERAS_MAGIC)
        answer_fail(WEIR_ERROR_FORMAT, "the input is not from libweir");
    const hid_t file = create(), link = links();
    const uint32_t count = take_number(4 * KERAS_TENSORS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        char path[KERAS_NAME_MAX + 1];
        const uint32_t length = take_number(KERAS_NAME_MAX);
        if (length == KERAS_GROUP) answer_fail(WEIR_ERROR_FORMAT, "the input has no name");
        take(path, length);
        path[length] = '\0';
        const uint32_t rank = take_number(KERAS_RANK_MAX);
        if (rank == KERAS_GROUP)
            write_group(file, link, path);
        else
            write_tensor(file, link, path, rank);
    }
    if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) failed("the file");
    const ssize_t bytes = H5Fget_file_image(file, NULL, 0);
    if (bytes <= 0) failed("the file");
    char *image = allocate((size_t)bytes);
    if (H5Fget_file_image(file, image, (size_t)bytes) != bytes) failed("the file");
    const uint64_t size = (uint64_t)bytes;
    answer_ok();
    answer_bytes(&size, sizeof size);
    answer_send(image, (size_t)bytes);
}
