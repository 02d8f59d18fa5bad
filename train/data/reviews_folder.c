/* Reviews out of the unpacked folder. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/data/reviews.h"
#include "train/model/checksum.h"

enum { PATH_BYTES = 4096 };

static weir_status failed(const char *root, const char *name) {
    return weir_fail(WEIR_ERROR_SYSTEM, "%s/%s: %s", root, name, strerror(errno));
}

static bool is_folder(const char *parent, const char *name) {
    char path[PATH_BYTES];
    struct stat st;
    if (snprintf(path, sizeof path, "%s/%s", parent, name) >= (int)sizeof path) return false;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

weir_status reviews_find_root(const char *path, char *root, size_t size) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    if (snprintf(root, size, "%.*s", (int)length, path) >= (int)size - 16)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: the path is too long", path);
    if (is_folder(root, "train") || is_folder(root, "test")) return WEIR_OK;
    if (is_folder(root, "aclImdb")) {
        strcat(root, "/aclImdb");
        return WEIR_OK;
    }
    return weir_fail(WEIR_ERROR_FORMAT,
                     "%s has no folder train, test or aclImdb, expected: the folder aclImdb, with "
                     "%s, %s, %s and %s in it, or the one it lies in",
                     root, review_folders[0], review_folders[1], review_folders[2],
                     review_folders[3]);
}

/* Size and times of a file go into the key; what is no plain file is passed over. */
static weir_status add_file(const char *root, int folder, const char *name, review_list *r,
                            uint64_t *key) {
    struct stat st;
    const char *begin;
    const review_class in = review_class_of(name, &begin);
    if (in == REVIEW_CLASSES) return WEIR_OK;
    if (fstatat(folder, strrchr(name, '/') + 1, &st, 0) != 0) return failed(root, name);
    if (!S_ISREG(st.st_mode)) return WEIR_OK;
    const int64_t facts[] = {st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
    /* A sum does not depend on the order in which the system lists the files. */
    *key += weir_checksum_add(weir_checksum_add(0, name, strlen(name)), facts, sizeof facts);
    return reviews_add(r, root, in, name, st.st_size);
}

static weir_status list_class(const char *root, review_class in, review_list *r, uint64_t *key) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", root, review_folders[in]);
    DIR *folder = opendir(path);
    if (folder == NULL && errno == ENOENT)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: the folder %s is missing", root,
                         review_folders[in]);
    if (folder == NULL) return failed(root, review_folders[in]);
    weir_status status = WEIR_OK;
    while (status == WEIR_OK) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            if (errno != 0) status = failed(root, review_folders[in]);
            break;
        }
        if (snprintf(path, sizeof path, "%s/%s", review_folders[in], entry->d_name) <
            (int)sizeof path)
            status = add_file(root, dirfd(folder), path, r, key);
    }
    closedir(folder);
    return status;
}

weir_status reviews_list_folder(const char *root, review_list *r, uint64_t *key) {
    weir_status status = WEIR_OK;
    *r = (review_list){0};
    *key = 0;
    for (int i = 0; i < REVIEW_CLASSES && status == WEIR_OK; i++)
        status = list_class(root, (review_class)i, r, key);
    return status == WEIR_OK ? reviews_sort(r, root) : status;
}

/* The first file that could not be read, and why (0: it has another size now). */
typedef struct reading {
    const char *root;
    review_list *r;
    int *errors; /* [count], -1 for what was read */
} reading;

/* -1, or an errno, or 0 when the file is no longer as long as it was. */
static int read_file(const char *path, char *to, int64_t bytes) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    int64_t done = 0;
    char more;
    int error = -1;
    while (done < bytes) {
        const ssize_t n = read(fd, to + done, (size_t)(bytes - done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            error = n < 0 ? errno : 0;
            break;
        }
        done += n;
    }
    if (error < 0 && read(fd, &more, 1) != 0) error = 0;
    close(fd);
    return error;
}

static void read_range(void *arg, int64_t begin, int64_t end, int worker) {
    const reading *p = arg;
    char path[PATH_BYTES];
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        const review_text *v = &p->r->list[i];
        const char *name = string_list_get(&p->r->names, v->name);
        const int length = snprintf(path, sizeof path, "%s/%s", p->root, name);
        p->errors[i] = length < (int)sizeof path ? read_file(path, p->r->text + v->begin, v->bytes)
                                                 : ENAMETOOLONG;
    }
}

weir_status reviews_read_folder(const char *root, weir_runtime *runtime, review_list *r) {
    const int64_t grain = 256;
    reading p = {.root = root, .r = r, .errors = malloc((size_t)r->count * sizeof *p.errors)};
    if (p.errors == NULL) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", root);
    weir_status status = WEIR_OK;
    if (runtime != NULL)
        status = weir_parallel_for(runtime, r->count, grain, read_range, &p);
    else
        read_range(&p, 0, r->count, 0);
    for (int64_t i = 0; i < r->count && status == WEIR_OK; i++) {
        const char *name = string_list_get(&r->names, r->list[i].name);
        if (p.errors[i] == 0)
            status =
                weir_fail(WEIR_ERROR_SYSTEM, "%s/%s has changed while it was read", root, name);
        else if (p.errors[i] > 0)
            status = weir_fail(WEIR_ERROR_SYSTEM, "%s/%s: %s", root, name, strerror(p.errors[i]));
    }
    free(p.errors);
    return status;
}
