/* Downloads by HTTP that can be resumed, with libcurl. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/data/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HTTP_OK = 200, HTTP_PARTIAL = 206, HTTP_RANGE_NOT_SATISFIABLE = 416 };
enum { CONNECT_SECONDS = 20, STALLED_SECONDS = 30, ATTEMPTS = 5, PART_PATH = 4096 };

typedef struct download {
    const char *url, *path;
    char part[PART_PATH];
    CURL *curl;
    FILE *file;
    int64_t before;  /* bytes in the part file at the start of this attempt */
    int64_t written; /* bytes of this attempt */
    bool disk_failed;
    download_progress_fn *progress;
    void *user;
    char error[CURL_ERROR_SIZE];
} download;

static int64_t size_of(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static long response_code(const download *d) {
    long code = 0;
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

/* Called by curl for each piece of the body. */
static size_t take_bytes(char *bytes, size_t size, size_t count, void *user) {
    download *d = user;
    if (d->written == 0 && d->before > 0 && response_code(d) == HTTP_OK) {
        /* The server ignores the range and sends everything. */
        if (ftruncate(fileno(d->file), 0) != 0) return 0;
        d->before = 0;
    }
    const size_t n = fwrite(bytes, size, count, d->file) * size;
    d->disk_failed = n != size * count;
    d->written += (int64_t)n;
    return n;
}

static int report(void *user, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t up_now) {
    download *d = user;
    (void)up, (void)up_now;
    const bool body = response_code(d) == HTTP_OK || response_code(d) == HTTP_PARTIAL;
    if (body && d->progress != NULL)
        d->progress(d->user, d->before + now, total > 0 ? d->before + total : 0, d->before);
    return 0;
}

static void set_options(download *d) {
    CURL *c = d->curl;
    curl_easy_setopt(c, CURLOPT_URL, d->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "weir");
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->error);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, report);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, d);
}

/* One request for what is not in the part file yet. */
static CURLcode attempt(download *d) {
    char range[32];
    d->file = fopen(d->part, "ab");
    d->disk_failed = d->file == NULL;
    if (d->file == NULL) return CURLE_WRITE_ERROR;
    d->before = size_of(d->part);
    d->written = 0;
    d->error[0] = '\0';
    snprintf(range, sizeof range, "%lld-", (long long)d->before);
    curl_easy_setopt(d->curl, CURLOPT_RANGE, d->before > 0 ? range : NULL);
    CURLcode code = curl_easy_perform(d->curl);
    if (fclose(d->file) != 0) {
        d->disk_failed = true;
        code = CURLE_WRITE_ERROR;
    }
    if (code == CURLE_OK && d->written == 0 && d->before == 0) code = CURLE_GOT_NOTHING;
    return code;
}

static bool connection_broke(CURLcode code) {
    return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR ||
           code == CURLE_OPERATION_TIMEDOUT;
}

static CURLcode transfer(download *d) {
    CURLcode code = attempt(d);
    if (code == CURLE_HTTP_RETURNED_ERROR && response_code(d) == HTTP_RANGE_NOT_SATISFIABLE &&
        d->before > 0) {
        /* Nothing comes after the part that is here, so it is not a part of this file. */
        unlink(d->part);
        code = attempt(d);
    }
    for (int i = 1; i < ATTEMPTS && connection_broke(code) && d->written > 0; i++)
        code = attempt(d);
    return code;
}

static weir_status explain(const download *d, CURLcode code) {
    const char *reason = d->error[0] != '\0' ? d->error : curl_easy_strerror(code);
    const int64_t there = size_of(d->part);
    if (d->disk_failed)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: writing: %s", d->part, strerror(errno));
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: the server answered %ld", d->url,
                         response_code(d));
    if (there > 0)
        return weir_fail(WEIR_ERROR_SYSTEM,
                         "%s: %s. %lld bytes are in %s; run this again to go on from there", d->url,
                         reason, (long long)there, d->part);
    return weir_fail(WEIR_ERROR_SYSTEM,
                     "can't download %s: %s. Without a network, download it elsewhere, put it at "
                     "%s and run this again",
                     d->url, reason, d->path);
}

weir_status download_file(const char *url, const char *path, download_progress_fn *progress,
                          void *user) {
    download d = {.url = url, .path = path, .progress = progress, .user = user};
    if (snprintf(d.part, sizeof d.part, "%s.part", path) >= (int)sizeof d.part)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: the path is too long", path);
    d.curl = curl_easy_init();
    if (d.curl == NULL) return weir_fail(WEIR_ERROR_MEMORY, "libcurl can't be started");
    set_options(&d);
    const CURLcode code = transfer(&d);
    weir_status status = code == CURLE_OK ? WEIR_OK : explain(&d, code);
    if (status == WEIR_OK && rename(d.part, path) != 0)
        status = weir_fail(WEIR_ERROR_SYSTEM, "%s: renaming: %s", d.part, strerror(errno));
    if (status != WEIR_OK && size_of(d.part) == 0) unlink(d.part);
    curl_easy_cleanup(d.curl);
    return status;
}
