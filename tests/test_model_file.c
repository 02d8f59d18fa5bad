/* Model files: what was saved comes back, and what is broken is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "train/model/atomic_file.h"
#include "train/model/definition.h"
#include "train/model/json.h"
#include "train/model/random.h"
#include "train/model/sequential.h"

static weir_runtime *runtime;
static char folder[64];
static char path[128]; /* of the file that a test writes */

static int set_up(void **state) {
    (void)state;
    weir_runtime_options o = weir_runtime_options_default();
    o.threads = 1;
    /* In memory where there is such a folder: the tests save often, and saving waits for the disk. */
    strcpy(folder,
           access("/dev/shm", W_OK) == 0 ? "/dev/shm/weir-model-XXXXXX" : "/tmp/weir-model-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    return weir_runtime_create(&o, &runtime) != WEIR_OK;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    weir_runtime_destroy(runtime);
    return rmdir(folder); /* fails when a test left something behind */
}

static weir_model *create(const char *name, int keras) {
    weir_model_options o = weir_model_options_default(keras);
    const weir_builtin *about = NULL;
    assert_int_equal(weir_model_builtin_find(name, &about), WEIR_OK);
    o.T = 80; /* jena-conv needs 67 */
    o.C_in = about->text ? 1 : 4;
    o.V = 50;
    o.seed = 11;
    o.target = 2;
    weir_model *m = NULL;
    if (weir_model_create(runtime, name, &o, &m) != WEIR_OK) fail_msg("%s", weir_last_error());
    return m;
}

static weir_model *load(void) {
    weir_model *m = NULL;
    if (weir_model_load(runtime, path, NULL, &m) != WEIR_OK) fail_msg("%s", weir_last_error());
    return m;
}

/* ---- files as bytes ---- */

typedef struct bytes {
    char *data;
    size_t count;
} bytes;

static bytes read_file(void) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    bytes b = {malloc(1 << 20), 0};
    b.count = fread(b.data, 1, 1 << 20, f);
    fclose(f);
    return b;
}

static void write_file(const char *data, size_t count) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
}

/* The file is refused as FORMAT, and the message names it and has these words. */
static void expect_refusal(const char *words) {
    weir_model *m = NULL;
    const weir_status status = weir_model_load(runtime, path, NULL, &m);
    if (status != WEIR_ERROR_FORMAT)
        fail_msg("'%s' expected, status is %s", words, weir_status_name(status));
    assert_null(m);
    assert_non_null(strstr(weir_last_error(), path));
    if (!strstr(weir_last_error(), words))
        fail_msg("'%s' does not say '%s'", weir_last_error(), words);
}

/* A file of this header and so many zero bytes of data. */
static void write_header(const char *header, size_t data_bytes) {
    const uint64_t length = strlen(header);
    const size_t count = 8 + length + data_bytes;
    char *file = calloc(count, 1);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    write_file(file, count);
    free(file);
}

/* ---- round trip ---- */

static void check_round_trip(const char *name, int keras) {
    weir_model *m = create(name, keras);
    assert_int_equal(weir_model_set_metadata(m, "data", "{\"mean\": [0.1]}"), WEIR_OK);
    assert_int_equal(weir_model_set_metadata(m, "note", "a \"quoted\"\nline"), WEIR_OK);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    weir_model *n = load();
    assert_string_equal(weir_model_name(n), name);
    assert_int_equal(weir_model_T(n), 80);
    assert_int_equal(weir_model_C_in(n), weir_model_C_in(m));
    assert_int_equal(n->layer_count, m->layer_count);
    for (int i = 0; i < m->layer_count; i++) {
        weir_layer *a = &m->layers[i].spec, *b = &n->layers[i].spec;
        assert_int_equal(a->kind, b->kind);
        assert_true(a->dropout == b->dropout && a->recurrent_dropout == b->recurrent_dropout);
        assert_string_equal(m->layers[i].name, n->layers[i].name);
        if (a->kind == WEIR_LAYER_CONV1D) assert_int_equal(a->D, b->D);
        if (a->kind == WEIR_LAYER_GRU) {
            assert_int_equal(a->reset_after, b->reset_after);
            assert_int_equal(a->recurrent, b->recurrent);
            assert_int_equal(a->shared_masks, b->shared_masks);
            assert_int_equal(a->return_sequences, b->return_sequences);
            assert_int_equal(a->go_backwards, b->go_backwards);
            assert_int_equal(a->activation, b->activation);
            assert_int_equal(a->merge, b->merge);
        }
        if (a->kind == WEIR_LAYER_MULTI_HOT) assert_int_equal(a->V, b->V);
    }
    if (m->parameters > 0)
        assert_memory_equal(m->values, n->values, (size_t)m->parameters * sizeof(float));
    assert_string_equal(weir_model_metadata(n, "data"), "{\"mean\": [0.1]}");
    assert_string_equal(weir_model_metadata(n, "note"), "a \"quoted\"\nline");
    float x[2 * 80 * 4], y[2], z[2];
    for (int i = 0; i < 2 * 80 * 4; i++) /* 0 to 49 for tokens */
        x[i] = weir_model_C_in(m) == 1 ? (float)(i * 7 % 50)
                                       : (float)random_uniform(1, 1, (uint64_t)i);
    assert_int_equal(weir_model_predict(m, 2, x, y), WEIR_OK);
    assert_int_equal(weir_model_predict(n, 2, x, z), WEIR_OK);
    assert_memory_equal(y, z, sizeof y);
    weir_model_destroy(m);
    weir_model_destroy(n);
}

static void test_round_trip(void **state) {
    (void)state;
    for (int i = 0; weir_model_builtin(i); i++) {
        check_round_trip(weir_model_builtin(i)->name, 2);
        check_round_trip(weir_model_builtin(i)->name, 3);
    }
}

static void test_layout(void **state) {
    (void)state;
    weir_model *m = create("jena-conv-gru", 2);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    bytes b = read_file();
    uint64_t length = 0;
    memcpy(&length, b.data, 8);
    assert_int_equal(length % 8, 0);
    assert_int_equal(b.data[8], '{');
    assert_int_equal(b.count, 8 + length + 4 * (size_t)m->parameters);
    /* In the order of the names the bias of the first convolution comes first, its kernel next. */
    const float *data = (const float *)(const void *)(b.data + 8 + length);
    assert_memory_equal(data, weir_layer_value(&m->layers[0], 1), 32 * sizeof(float));
    assert_memory_equal(data + 32, weir_layer_value(&m->layers[0], 0), 5 * 4 * 32 * sizeof(float));
    free(b.data);
    weir_model_destroy(m);
}

static void test_numbers_are_exact(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        union {
            uint64_t bits;
            double value;
        } u = {.bits = random_u64(1, 1, i)};
        if (i == 0) u.value = 0.1;
        if (i == 1) u.value = 5e-324;
        if (i == 2) u.value = 9007199254740993.0;
        if (!isfinite(u.value)) continue;
        cJSON *number = weir_json_number(u.value);
        char *text = cJSON_PrintUnformatted(number);
        cJSON *again = weir_json_parse(text, strlen(text), NULL);
        assert_non_null(again);
        assert_true(again->valuedouble == u.value);
        cJSON_Delete(number);
        cJSON_Delete(again);
        cJSON_free(text);
    }
}

static void test_metadata(void **state) {
    (void)state;
    weir_model *m = create("jena-gru", 2);
    assert_null(weir_model_metadata(m, "a"));
    assert_int_equal(weir_model_set_metadata(m, "a", "1"), WEIR_OK);
    assert_int_equal(weir_model_set_metadata(m, "b", "2"), WEIR_OK);
    assert_int_equal(weir_model_set_metadata(m, "a", "3"), WEIR_OK);
    assert_string_equal(weir_model_metadata(m, "a"), "3");
    assert_int_equal(weir_model_set_metadata(m, "a", NULL), WEIR_OK);
    assert_null(weir_model_metadata(m, "a"));
    assert_string_equal(weir_model_metadata(m, "b"), "2");
    assert_int_equal(weir_model_set_metadata(m, "weir.model", "x"), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_model_set_metadata(m, "", "x"), WEIR_ERROR_ARGUMENT);
    weir_model_destroy(m);
}

/* ---- broken files ---- */

static void test_truncated(void **state) {
    (void)state;
    weir_model *m = create("jena-gru", 2);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    weir_model_destroy(m);
    bytes b = read_file();
    for (size_t n = b.count; n > 0;) {
        n -= n > 3000 ? 97 : 1;
        assert_int_equal(truncate(path, (off_t)n), 0);
        expect_refusal("");
    }
    b.data = realloc(b.data, b.count + 4);
    memset(b.data + b.count, 0, 4);
    write_file(b.data, b.count + 4);
    expect_refusal("4 bytes behind the last tensor");
    free(b.data);
}

/* Every byte of the header, changed in several ways: an error or a model, and never a crash. */
static void test_changed_bytes(void **state) {
    (void)state;
    weir_model *m = create("jena-gru", 2);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    weir_model_destroy(m);
    bytes b = read_file();
    uint64_t length = 0;
    memcpy(&length, b.data, 8);
    static const char changes[] = {0x01, 0x10, (char)0x80, 0x7f};
    int refused = 0;
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < 8 + length; i++) {
        for (size_t k = 0; k < sizeof changes; k++) {
            const char changed = (char)(b.data[i] ^ changes[k]);
            assert_int_equal(pwrite(fd, &changed, 1, (off_t)i), 1);
            weir_model *n = NULL;
            const weir_status status = weir_model_load(runtime, path, NULL, &n);
            assert_true(status == WEIR_OK || status == WEIR_ERROR_FORMAT);
            refused += status != WEIR_OK;
            weir_model_destroy(n);
        }
        assert_int_equal(pwrite(fd, b.data + i, 1, (off_t)i), 1);
    }
    close(fd);
    assert_true(refused > (int)length);
    free(b.data);
}

/* Replaces the first `from` in the header by `to` of the same length. */
static void with_change(const bytes *b, const char *from, const char *to, const char *words) {
    assert_int_equal(strlen(from), strlen(to));
    char *at = memmem(b->data, b->count, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    write_file(b->data, b->count);
    memcpy(at, from, strlen(from));
    expect_refusal(words);
}

static void test_wrong_tensors(void **state) {
    (void)state;
    weir_model *m = create("jena-gru", 2);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    weir_model_destroy(m);
    bytes b = read_file();
    with_change(&b, "\"F32\"", "\"F16\"", "'dense/bias': dtype is F16, accepted: F32");
    with_change(&b, "\"gru/kernel\"", "\"gru/Kernel\"", "tensor 'gru/kernel' is missing");
    with_change(&b, "\"dense/kernel\"", "\"gru/bias\"    ", "'gru/bias' is there twice");
    with_change(&b, "[4,96]", "[8,48]", "'gru/kernel': shape is [8, 48], the layer needs [4, 96]");
    with_change(&b, "[4,96]", "[4,97]", "'gru/kernel': data_offsets");
    with_change(&b, "[4,96]", "[-4,9]", "not a whole number");
    with_change(&b, "[4,96]", "[9e99]", "not a whole number");
    with_change(&b, "[4,96]", "\"four\"", "shape must be a list");
    with_change(&b, "[0,4]", "[4,8]", "'dense/bias': begins at byte 4");
    with_change(&b, "[0,4]", "[4,0]", "data_offsets [4, 0] don't fit");
    with_change(&b, "\"1\"", "\"2\"", "weir.format is 2, accepted: 1");
    with_change(&b, "weir.model", "Weir.model", "not a Weir model");
    with_change(&b, "\\\"units\\\":32", "\\\"units\\\":33",
                "shape is [4, 96], the layer needs [4, 99]");
    with_change(&b, "\\\"units\\\":32", "\\\"units\\\":.5", "not JSON from byte");
    with_change(&b, "\\\"units\\\":32", "\\\"unity\\\":32", "unity is not an option of this layer");
    with_change(&b, "\\\"GRU\\\"", "\\\"GRV\\\"",
                "config.layers[0].class_name is GRV, known: Conv1D");
    with_change(&b, "tanh", "tank", "config.layers[0].config.activation must be linear");
    with_change(&b, "Sequential", "Functional", "class_name must be Sequential");
    free(b.data);
}

/* The names and the JSON of Keras. */
static void test_bidirectional(void **state) {
    (void)state;
    weir_model *m = create("jena-gru-bidir", 2);
    static const char *const names[] = {"bidirectional/forward_gru/kernel",
                                        "bidirectional/forward_gru/recurrent_kernel",
                                        "bidirectional/forward_gru/bias",
                                        "bidirectional/backward_gru/kernel",
                                        "bidirectional/backward_gru/recurrent_kernel",
                                        "bidirectional/backward_gru/bias",
                                        "dense/kernel",
                                        "dense/bias"};
    assert_int_equal(weir_model_tensor_count(m), 8);
    for (int i = 0; i < 8; i++)
        assert_string_equal(weir_model_parameter(m, i, NULL)->name, names[i]);
    char *text = weir_definition_write(m);
    assert_non_null(strstr(text, "{\"class_name\":\"Bidirectional\",\"config\":{\"name\":"
                                 "\"bidirectional\",\"batch_input_shape\":[null,80,4],"
                                 "\"layer\":{\"class_name\":\"GRU\",\"config\":{\"name\":\"gru\","
                                 "\"units\":32,"));
    assert_non_null(strstr(text, "\"merge_mode\":\"concat\"}"));
    cJSON_free(text);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    weir_model_destroy(m);
    bytes b = read_file();
    with_change(&b, "concat", "concur", "config.layers[0].config.merge_mode must be concat or sum");
    with_change(&b, "\\\"GRU\\\"", "\\\"GRV\\\"",
                "config.layers[0].config.layer.class_name is GRV, known: Conv1D");
    with_change(&b, "\\\"gru\\\",\\\"units\\\"", "\\\"gru\\\",\\\"unify\\\"",
                "config.layers[0].config.layer.config.unify is not an option");
    with_change(&b, "\\\"layer\\\"", "\\\"later\\\"",
                "config.layers[0].config.layer.class_name is missing, known: Conv1D");
    with_change(&b, "\\\"go_backwards\\\":false", "\\\"go_backwards\\\":true ",
                "go_backwards is true, accepted: false");
    free(b.data);
}

static void test_hostile_headers(void **state) {
    (void)state;
    write_file("", 0);
    expect_refusal("not a safetensors file: 0 bytes");
    static const char huge[] = "\xff\xff\xff\xff\xff\xff\xff\xff{}";
    write_file(huge, sizeof huge - 1);
    expect_refusal("a header of 18446744073709551615 bytes");
    write_file("\0\0\x10\0\0\0\0\0{}", 10);
    expect_refusal("a header of 1048576 bytes in a file of 10");
    write_file("\0\0\x10\x01\0\0\0\0{}", 10);
    assert_int_equal(truncate(path, 18 << 20), 0);
    expect_refusal("a header of 17825792 bytes");
    write_file("\x89PNG\r\n\x1a\n, and more", 18);
    expect_refusal("not a safetensors file");
    write_header("[]", 0);
    expect_refusal("no JSON object");
    write_header("{} x", 0);
    expect_refusal("no JSON object from byte 11 on");
    write_header("{}", 0);
    expect_refusal("not a Weir model");
    write_header("{\"a\":1}", 0);
    expect_refusal("'a': dtype is missing");
    /* Sizes whose product overflows, to zero among others. */
    write_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],"
                 "\"data_offsets\":[0,0]}}",
                 0);
    expect_refusal("too large");
    write_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],"
                 "\"data_offsets\":[0,4]}}",
                 4);
    expect_refusal("at most 8 sizes");
    write_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                 "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                 4);
    expect_refusal("'b': begins at byte 0 of the data, expected 4");
    write_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1073741824],"
                 "\"data_offsets\":[0,4294967296]}}",
                 4);
    expect_refusal("is it truncated?");
    char *deep = malloc(1 << 20);
    memset(deep, '[', (1 << 20) - 1);
    deep[(1 << 20) - 1] = '\0';
    write_header(deep, 0);
    expect_refusal("no JSON object");
    free(deep);
}

#define FLATTEN_MODEL                                                                       \
    "\"__metadata__\":{\"weir.format\":\"1\",\"weir.model\":\"{\\\"class_name\\\":"         \
    "\\\"Sequential\\\",\\\"config\\\":{\\\"name\\\":\\\"m\\\",\\\"layers\\\":[{\\\"class_" \
    "name\\\":"                                                                             \
    "\\\"Flatten\\\",\\\"config\\\":{\\\"batch_input_shape\\\":[null,2,3]}}]}}\"}"

static void test_tensor_too_many(void **state) {
    (void)state;
    write_header("{" FLATTEN_MODEL "}", 0);
    weir_model_destroy(load());
    write_header(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}," FLATTEN_MODEL "}", 4);
    expect_refusal("1 tensors, the model's layers have 0");
}

/* A definition may claim any size: memory is taken only after the tensors were seen to be there. */
static void test_hostile_sizes(void **state) {
    (void)state;
    static const char *const layers[][2] = {
        {"{\\\"class_name\\\":\\\"Dense\\\",\\\"config\\\":{\\\"units\\\":16777216,"
         "\\\"batch_input_shape\\\":[null,1,100]}}",
         "'dense/kernel' is missing"},
        {"{\\\"class_name\\\":\\\"Dense\\\",\\\"config\\\":{\\\"units\\\":16777216,"
         "\\\"batch_input_shape\\\":[null,1,16777216]}}",
         "more than 2^31 floats"},
        {"{\\\"class_name\\\":\\\"Flatten\\\",\\\"config\\\":{"
         "\\\"batch_input_shape\\\":[null,16777216,16777216]}}",
         "more than 2^31 floats"},
        {"{\\\"class_name\\\":\\\"Dense\\\",\\\"config\\\":{\\\"units\\\":1e300,"
         "\\\"batch_input_shape\\\":[null,1,1]}}",
         "units must be a whole number"},
        {"{\\\"class_name\\\":\\\"Dense\\\",\\\"config\\\":{\\\"units\\\":3}}",
         "batch_input_shape must be there"},
    };
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        char header[1024];
        snprintf(header, sizeof header,
                 "{\"__metadata__\":{\"weir.format\":\"1\",\"weir.model\":\"{\\\"class_name\\\":"
                 "\\\"Sequential\\\",\\\"config\\\":{\\\"name\\\":\\\"m\\\",\\\"layers\\\":[%s]}}"
                 "\"}}",
                 layers[i][0]);
        write_header(header, 0);
        expect_refusal(layers[i][1]);
    }
}

static void test_what_is_no_file(void **state) {
    (void)state;
    weir_model *m = NULL;
    unlink(path);
    assert_int_equal(weir_model_load(runtime, path, NULL, &m), WEIR_ERROR_SYSTEM);
    assert_non_null(strstr(weir_last_error(), path));
    assert_int_equal(weir_model_load(runtime, folder, NULL, &m), WEIR_ERROR_FORMAT);
    assert_non_null(strstr(weir_last_error(), "not a regular file"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(weir_model_load(runtime, path, NULL, &m), WEIR_ERROR_FORMAT);
    unlink(path);
}

/* ---- writing that fails ---- */

static int files_in_folder(void) {
    DIR *d = opendir(folder);
    int count = 0;
    while (readdir(d)) count++;
    closedir(d);
    return count - 2; /* "." and ".." */
}

static long allocations_left;

static void *failing_malloc(size_t size) { return allocations_left-- == 0 ? NULL : malloc(size); }

/* Saves with allocation n of the JSON failing; whether there was such a one. */
static bool save_without(weir_model *m, bool checkpoint, long n) {
    cJSON_InitHooks(&(cJSON_Hooks){failing_malloc, free});
    allocations_left = n;
    const weir_status status =
        checkpoint ? weir_model_save_checkpoint(m, path, NULL) : weir_model_save(m, path);
    const bool failed = allocations_left < 0;
    cJSON_InitHooks(NULL);
    assert_int_equal(status, failed ? WEIR_ERROR_MEMORY : WEIR_OK);
    return failed;
}

/* Each allocation of the JSON in a file fails once: there is an error and the old file stays. */
static void test_no_memory_for_json(void **state) {
    (void)state;
    weir_model *m = create("jena-conv-gru", 2);
    assert_int_equal(weir_model_set_metadata(m, "data", "{}"), WEIR_OK);
    for (int checkpoint = 0; checkpoint < 2; checkpoint++) {
        long n = 0;
        write_file("before", 6);
        for (; save_without(m, checkpoint, n); n++) {
            bytes b = read_file();
            assert_int_equal(b.count, 6);
            free(b.data);
        }
        assert_true(n > 100);
        weir_model *back = load();
        assert_int_equal(weir_model_layer_count(back), 5);
        weir_model_destroy(back);
    }
    weir_model_destroy(m);
}

/* What a file can't hold is refused before there is anything to lose. */
static void test_limits_of_a_file(void **state) {
    (void)state;
    weir_layer dense = weir_layer_default(WEIR_LAYER_DENSE);
    dense.units = 1;
    weir_model_options o = weir_model_options_default(2);
    o.T = o.C_in = 2;
    char name[129] = {0}, key[16];
    memset(name, 'x', 128);
    weir_model *m = (weir_model *)&o;
    assert_int_equal(weir_model_create_layers(runtime, name, &dense, 1, &o, &m),
                     WEIR_ERROR_ARGUMENT);
    assert_null(m);
    name[127] = '\0';
    assert_int_equal(weir_model_create_layers(runtime, name, &dense, 1, &o, &m), WEIR_OK);
    assert_int_equal(weir_model_set_metadata(m,
                                             "T (\xb0"
                                             "C)",
                                             "1"),
                     WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_model_set_metadata(m, "unit", "\xb0"), WEIR_ERROR_ARGUMENT);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(weir_model_set_metadata(m, key, "\xc2\xb0"), WEIR_OK);
    }
    assert_int_equal(weir_model_set_metadata(m, "1000", "1"), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_model_set_metadata(m, "999", "2"), WEIR_OK);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    weir_model_destroy(m);
    m = load();
    assert_string_equal(weir_model_metadata(m, "999"), "2");
    weir_model_destroy(m);
}

/* Permissions stay, and names that can't be written are seen by the check. */
static void test_names_and_permissions(void **state) {
    (void)state;
    weir_model *m = create("jena-dense", 2);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    char long_name[400];
    snprintf(long_name, sizeof long_name, "%s/%0250d", folder, 0);
    assert_int_equal(weir_atomic_file_check(long_name), WEIR_ERROR_SYSTEM);
    snprintf(long_name, sizeof long_name, "%s/new/", folder);
    assert_int_equal(weir_atomic_file_check(long_name), WEIR_ERROR_SYSTEM);
    assert_non_null(strstr(weir_last_error(), "the name of a folder"));
    weir_model_destroy(m);
}

static void test_failed_write_keeps_the_old_file(void **state) {
    (void)state;
    weir_model *m = create("jena-gru", 2), *other = create("jena-conv-gru", 2);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    bytes before = read_file();
    struct rlimit limit, small;
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 5000; /* the second file is larger */
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    const weir_status status = weir_model_save(other, path);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(status, WEIR_ERROR_SYSTEM);
    assert_non_null(strstr(weir_last_error(), path));
    bytes after = read_file();
    assert_int_equal(before.count, after.count);
    assert_memory_equal(before.data, after.data, before.count);
    assert_int_equal(files_in_folder(), 1);
    free(before.data);
    free(after.data);
    assert_int_equal(weir_model_save(m, "/no/such/folder/model.safetensors"), WEIR_ERROR_SYSTEM);
    assert_non_null(strstr(weir_last_error(), "/no/such/folder/model.safetensors"));
    weir_model_destroy(m);
    weir_model_destroy(other);
}

/* ---- checkpoints ---- */

enum { BATCH = 3, STEPS = 4 };

/* Training steps, with dropout; returns the last loss. */
static double train(weir_model *m, int first) {
    float x[BATCH * 80 * 4], target[BATCH];
    double loss = 0;
    for (int k = first; k < first + STEPS; k++) {
        for (int i = 0; i < BATCH * 80 * 4; i++)
            x[i] = (float)random_uniform(2, (uint64_t)k, (uint64_t)i);
        for (int i = 0; i < BATCH; i++) target[i] = x[i];
        assert_int_equal(weir_model_train_step(m, BATCH, x, target, &loss), WEIR_OK);
    }
    return loss;
}

static weir_model *create_dropout(weir_optimizer_kind kind) {
    weir_model_options o = weir_model_options_default(3);
    o.T = 80;
    o.C_in = 4;
    o.seed = UINT64_C(0xfedcba9876543211); /* no double has it */
    o.optimizer.kind = kind;
    o.optimizer.rate = 3e-3;
    o.loss = WEIR_MSE;
    weir_model *m = NULL;
    assert_int_equal(weir_model_create(runtime, "jena-gru-dropout", &o, &m), WEIR_OK);
    return m;
}

static void check_goes_on(weir_optimizer_kind kind) {
    weir_model *m = create_dropout(kind), *n = NULL;
    train(m, 0);
    float *best = malloc((size_t)m->parameters * sizeof *best), *read = NULL;
    for (int64_t i = 0; i < m->parameters; i++) best[i] = (float)i;
    assert_int_equal(weir_model_set_metadata(m, "note", "x"), WEIR_OK);
    assert_int_equal(weir_model_save_checkpoint(m, path, best), WEIR_OK);
    if (weir_model_load_checkpoint(runtime, path, &n, &read) != WEIR_OK)
        fail_msg("%s", weir_last_error());
    assert_memory_equal(read, best, (size_t)m->parameters * sizeof *best);
    assert_string_equal(weir_model_metadata(n, "note"), "x");
    assert_int_equal(weir_model_train_steps(n), STEPS);
    assert_true(train(m, STEPS) == train(n, STEPS));
    assert_memory_equal(m->values, n->values, (size_t)m->parameters * sizeof(float));
    for (int i = 0; i < weir_optimizer_state_count(kind); i++)
        assert_memory_equal(m->optimizer.states[i], n->optimizer.states[i],
                            (size_t)m->parameters * sizeof(float));
    free(best);
    free(read);
    weir_model_destroy(m);
    weir_model_destroy(n);
}

static void test_checkpoint_goes_on(void **state) {
    (void)state;
    check_goes_on(WEIR_OPTIMIZER_RMSPROP);
    check_goes_on(WEIR_OPTIMIZER_ADAM);
}

static void expect_no_checkpoint(const char *words) {
    weir_model *m = NULL;
    float *best = NULL;
    assert_int_equal(weir_model_load_checkpoint(runtime, path, &m, &best), WEIR_ERROR_FORMAT);
    assert_null(m);
    assert_null(best);
    if (!strstr(weir_last_error(), words))
        fail_msg("'%s' does not say '%s'", weir_last_error(), words);
}

/* A model is no checkpoint, but a checkpoint is a model. */
static void test_checkpoint_and_model(void **state) {
    (void)state;
    weir_model *m = create_dropout(WEIR_OPTIMIZER_RMSPROP), *n = NULL;
    float *best = NULL;
    train(m, 0);
    assert_int_equal(weir_model_save(m, path), WEIR_OK);
    expect_no_checkpoint("no checkpoint: it has no state of a training");
    assert_int_equal(weir_model_save_checkpoint(m, path, NULL), WEIR_OK);
    n = load();
    assert_memory_equal(m->values, n->values, (size_t)m->parameters * sizeof(float));
    weir_model_destroy(n);
    assert_int_equal(weir_model_load_checkpoint(runtime, path, &n, &best), WEIR_OK);
    assert_null(best);
    weir_model_destroy(n);
    weir_model_destroy(m);
    bytes b = read_file();
    static const char *const changes[][3] = {
        {"rmsprop", "rmsdrop", "optimizer must be rmsprop or adam"},
        {"rmsprop\\\"", "adam\\\"   ", "'weir.optimizer.1' is missing"},
        {"\\\"steps\\\":4", "\\\"steps\\\":-", "weir.training is not JSON"},
        {"\\\"steps\\\":4", "\\\"stept\\\":4", "steps must be a whole number"},
        {"\\\"mse\\\"", "\\\"mze\\\"", "loss must be one that is known"},
        {"\\\"seed\\\":\\\"1", "\\\"seed\\\":\\\"x", "seed must be a text of digits"},
        {"\\\"rho\\\":0.9", "\\\"rho\\\":7.9", "rho is 7.9"},
        {"weir.optimizer.0\":", "weir.optimizer.7\":", "6 tensors"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char *at = memmem(b.data, b.count, changes[i][0], strlen(changes[i][0]));
        assert_non_null(at);
        memcpy(at, changes[i][1], strlen(changes[i][1]));
        /* Without its checksum the file is taken as it is. */
        char *sum = memmem(b.data, b.count, "weir.checksum", 13);
        assert_non_null(sum);
        sum[12] = 'n';
        write_file(b.data, b.count);
        sum[12] = 'm';
        memcpy(at, changes[i][0], strlen(changes[i][0]));
        expect_no_checkpoint(changes[i][2]);
    }
    free(b.data);
}

/* Any bit of the tensors, and of the header all but what leaves every text, tensor and size as it was. */
static void test_checkpoint_damage(void **state) {
    (void)state;
    weir_model *m = create_dropout(WEIR_OPTIMIZER_RMSPROP), *n = NULL;
    train(m, 0);
    assert_int_equal(weir_model_save_checkpoint(m, path, m->values), WEIR_OK);
    bytes b = read_file();
    uint64_t length = 0;
    memcpy(&length, b.data, 8);
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    const size_t data = 8 + length;
    for (size_t i = 0; i < b.count; i += i < data ? 1 : 1 + (b.count - data) / 500) {
        const char changed = (char)(b.data[i] ^ (1 << (i % 7)));
        assert_int_equal(pwrite(fd, &changed, 1, (off_t)i), 1);
        float *best = NULL;
        const weir_status status = weir_model_load_checkpoint(runtime, path, &n, &best);
        if (status == WEIR_OK) {
            assert_true(i < data);
            assert_memory_equal(m->values, n->values, (size_t)m->parameters * sizeof(float));
            assert_memory_equal(m->optimizer.states[0], n->optimizer.states[0],
                                (size_t)m->parameters * sizeof(float));
            assert_int_equal(m->optimizer.steps, n->optimizer.steps);
            assert_true(m->options.seed == n->options.seed);
            weir_model_destroy(n);
            free(best);
        } else {
            assert_int_equal(status, WEIR_ERROR_FORMAT);
        }
        assert_int_equal(pwrite(fd, b.data + i, 1, (off_t)i), 1);
    }
    close(fd);
    weir_model_destroy(m);
    free(b.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_numbers_are_exact),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_wrong_tensors),
        cmocka_unit_test(test_bidirectional),
        cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_tensor_too_many),
        cmocka_unit_test(test_hostile_sizes),
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(test_checkpoint_goes_on),
        cmocka_unit_test(test_checkpoint_and_model),
        cmocka_unit_test(test_checkpoint_damage),
        cmocka_unit_test(test_failed_write_keeps_the_old_file),
        cmocka_unit_test(test_no_memory_for_json),
        cmocka_unit_test(test_limits_of_a_file),
        cmocka_unit_test(test_names_and_permissions),
    };
    return cmocka_run_group_tests_name("model file", tests, set_up, tear_down);
}
