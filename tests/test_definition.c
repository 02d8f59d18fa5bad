/* Model definitions: what Keras 2 and 3 write is read, and what Weir does not have is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/model/recipe.h"

static weir_runtime *runtime;

static int set_up(void **state) {
    (void)state;
    weir_runtime_options o = weir_runtime_options_default();
    o.threads = 1;
    return weir_runtime_create(&o, &runtime) != WEIR_OK;
}

static int tear_down(void **state) {
    (void)state;
    weir_runtime_destroy(runtime);
    return 0;
}

/* ---- what Keras writes ---- */

static const char *folder; /* of such files */

/* For the caller to free(). */
static char *file_text(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s is missing", path);
    char *text = calloc(1, 1 << 16);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

static void read_text(const char *text, int keras, definition *d) {
    if (weir_definition_read(text, strlen(text), keras, d) != WEIR_OK)
        fail_msg("%s", weir_last_error());
}

static void test_keras_2(void **state) {
    (void)state;
    /* Until 2.2.2 config is the list of layers, and a GRU does not say reset_after. */
    static const char *const names[] = {"keras-2.2.4.json", "keras-2.0.8.json"};
    static definition d;
    for (int i = 0; i < 2; i++) {
        char *text = file_text(names[i]);
        read_text(text, 3, &d); /* the text shows another version */
        free(text);
        assert_int_equal(d.keras, 2);
        assert_int_equal(d.T, 0);
        assert_int_equal(d.C_in, 14);
        assert_int_equal(d.count, 4);
        assert_int_equal(d.layers[0].D, 2);
        assert_int_equal(d.layers[0].activation, WEIR_RELU);
        assert_int_equal(d.layers[1].S, 3);
        const weir_layer *gru = &d.layers[2];
        assert_int_equal(gru->recurrent, WEIR_HARD_SIGMOID);
        assert_false(gru->reset_after);
        assert_true(gru->shared_masks); /* implementation 2 */
        assert_true(gru->dropout == 0.1 && gru->recurrent_dropout == 0.5);
    }
}

static void test_keras_3(void **state) {
    (void)state;
    static definition d;
    char *text = file_text("keras-3.15.json");
    read_text(text, 2, &d);
    free(text);
    assert_int_equal(d.keras, 3);
    assert_int_equal(d.T, 50);
    assert_int_equal(d.C_in, 1);
    assert_int_equal(d.count, 5); /* the input is no layer */
    assert_true(d.layers[0].mask_zero);
    assert_int_equal(d.layers[1].merge, WEIR_MERGE_CONCAT);
    assert_true(d.layers[1].reset_after && d.layers[1].shared_masks);
    assert_int_equal(d.layers[2].recurrent, WEIR_SIGMOID);
    assert_true(d.layers[3].dropout == 0.25);
    assert_int_equal(d.layers[4].activation, WEIR_HARD_SIGMOID6);
}

/* What a text leaves out is as its Keras has it. */
static void test_defaults(void **state) {
    (void)state;
    static const char text[] =
        "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"m\",\"layers\":[{\"class_name\":"
        "\"GRU\",\"config\":{\"units\":2,\"activation\":\"hard_sigmoid\"}}]}}";
    static definition d;
    for (int keras = 2; keras <= 3; keras++) {
        read_text(text, keras, &d);
        assert_int_equal(d.keras, keras);
        assert_int_equal(d.layers[0].reset_after, keras == 3);
        assert_int_equal(d.layers[0].recurrent, keras == 3 ? WEIR_SIGMOID : WEIR_HARD_SIGMOID);
        /* The name is Keras 2's, unless the text shows that Keras 3 wrote it. */
        assert_int_equal(d.layers[0].activation, WEIR_HARD_SIGMOID);
    }
}

/* A file with one place changed: the copy that reads backward must be one. */
static void test_backward_layer(void **state) {
    (void)state;
    static const char *const changes[][2] = {{"\"go_backwards\": true", "\"go_backwards\":false"},
                                             {"\"dropout\": 0.1", "\"dropout\": 0.2"}};
    static definition d;
    for (int i = 0; i < 2; i++) {
        char *text = file_text("keras-3.15.json"), *at = strstr(text, "backward_gru");
        assert_non_null(at);
        at = strstr(at, changes[i][0]);
        assert_non_null(at);
        memcpy(at, changes[i][1], strlen(changes[i][1]));
        assert_int_equal(weir_definition_read(text, strlen(text), 2, &d), WEIR_ERROR_FORMAT);
        assert_non_null(strstr(weir_last_error(),
                               "config.layers[2].config.backward_layer must be a copy of layer"));
        free(text);
    }
}

/* ---- what is refused ---- */

#define MODEL(layers) \
    "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"m\",\"layers\":[" layers "]}}"
#define LAYER(name, config) "{\"class_name\":\"" name "\",\"config\":{" config "}}"
#define SHAPE "\"batch_input_shape\":[null,20,3],"
#define DENSE(config) MODEL(LAYER("Dense", SHAPE "\"units\":1," config))
#define TOKENS LAYER("Embedding", "\"input_dim\":9,\"output_dim\":2") ","
#define MASKED LAYER("Embedding", "\"input_dim\":9,\"output_dim\":2,\"mask_zero\":true") ","
#define ALL_STEPS "\"units\":2,\"return_sequences\":true"
#define POOL "," LAYER("GlobalMaxPooling1D", "\"name\":\"p\"")
#define GRU(config) MODEL(LAYER("GRU", SHAPE "\"units\":2," config))

static const struct {
    const char *text, *words;
} refused[] = {
    {"{\"class_name\":\"Functional\"}", "class_name must be Sequential"},
    {"{} x", "not JSON from byte 3 on"},
    {"{\"class_name\":\"Sequential\",\"config\":{\"layers\":[]}}", "config.name must be a text"},
    {MODEL(""), "config.layers must be a list of 1 to 256 layers"},
    {MODEL(LAYER("InputLayer", "\"name\":\"i\"")),
     "config.layers[0].config must be an object with"},
    {MODEL("{\"class_name\":\"InputLayer\",\"config\":[1]}"),
     "config.layers[0].config must be an object with"},
    {MODEL(LAYER("Masking", "\"name\":\"m\"")),
     "config.layers[0].class_name is Masking, known: Conv1D, MaxPooling1D"},
    {DENSE("\"rank\":1"),
     "config.layers[0].config.rank is not an option of this layer, known: units, activation"},
    {DENSE("\"activation\":\"softmax\""),
     "config.layers[0].config.activation must be linear, relu"},
    {DENSE("\"use_bias\":false"), "config.layers[0].config.use_bias must be true"},
    {DENSE("\"trainable\":false"), "trainable must be true"},
    {DENSE("\"dtype\":\"float16\""), "dtype must be float32"},
    {DENSE("\"dtype\":{\"config\":{\"name\":\"mixed_float16\"}}"), "dtype must be float32"},
    {DENSE("\"kernel_regularizer\":{\"class_name\":\"L2\"}"),
     "kernel_regularizer must be null: Weir has none"},
    {DENSE("\"kernel_initializer\":\"he_normal\""), "kernel_initializer must be GlorotUniform"},
    {DENSE("\"kernel_initializer\":{\"class_name\":\"VarianceScaling\",\"config\":{\"scale\":2.0,"
           "\"mode\":\"fan_avg\",\"distribution\":\"uniform\"}}"),
     "kernel_initializer must be GlorotUniform"},
    {GRU("\"recurrent_initializer\":{\"class_name\":\"Orthogonal\",\"config\":{\"gain\":2.0}}"),
     "recurrent_initializer must be Orthogonal with gain 1"},
    {GRU("\"stateful\":true"), "stateful must be false"},
    {GRU("\"implementation\":3"), "implementation must be 0, 1 or 2"},
    {MODEL(LAYER("Dense", "\"batch_input_shape\":[null,3],\"units\":1")),
     "[null, T, C_in] unless the first layer is Embedding"},
    {MODEL(LAYER("Dense", "\"batch_input_shape\":[null,0,3],\"units\":1")),
     "config.layers[0].config.batch_input_shape must be [null, T, C_in]"},
    {MODEL(LAYER("Embedding", "\"input_dim\":9,\"output_dim\":2,\"embeddings_initializer\":"
                              "{\"class_name\":\"RandomUniform\",\"config\":{\"minval\":-1}}")),
     "embeddings_initializer must be RandomUniform from -0.05 to 0.05"},
    {MODEL(MASKED LAYER("GRU", "\"zero_output_for_mask\":true," ALL_STEPS) POOL),
     "config.layers must be without zero_output_for_mask"},
    {MODEL(MASKED LAYER("GRU", "\"zero_output_for_mask\":true," ALL_STEPS) "," LAYER(
         "Dropout", "\"rate\":0.5") POOL),
     "config.layers must be without zero_output_for_mask"},
    {MODEL(MASKED LAYER("Bidirectional",
                        "\"layer\":" LAYER("GRU", "\"zero_output_for_mask\":true," ALL_STEPS))
               POOL),
     "config.layers must be without zero_output_for_mask"},
    {MODEL(LAYER("Bidirectional", "\"layer\":" LAYER("Dense", "\"units\":1"))),
     "config.layers[0].config.layer.class_name must be a recurrent layer"},
    {MODEL(LAYER("Bidirectional", "\"depth\":1,\"layer\":" LAYER("GRU", "\"units\":1"))),
     "config.layers[0].config.depth is not an option of this layer, known: layer, merge_mode"},
};

static void test_refusals(void **state) {
    (void)state;
    static definition d;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *text = refused[i].text;
        assert_int_equal(weir_definition_read(text, strlen(text), 2, &d), WEIR_ERROR_FORMAT);
        if (!strstr(weir_last_error(), refused[i].words))
            fail_msg("'%s' does not say '%s'", weir_last_error(), refused[i].words);
    }
}

/* What the zeros at masked steps reach is no step that is masked. */
static void test_zero_output(void **state) {
    (void)state;
    static definition d;
    static const char *const accepted[] = {
        MODEL(MASKED LAYER("GRU", ALL_STEPS) POOL),
        MODEL(MASKED LAYER("Bidirectional", "\"layer\":" LAYER("GRU", ALL_STEPS)) POOL),
        MODEL(MASKED LAYER("GRU", "\"zero_output_for_mask\":true," ALL_STEPS) "," LAYER(
            "Dropout", "\"rate\":0.5") "," LAYER("GRU", "\"units\":2")),
        MODEL(TOKENS LAYER("GRU", "\"zero_output_for_mask\":true," ALL_STEPS) POOL),
        MODEL(MASKED LAYER("LSTM", "\"zero_output_for_mask\":true,\"units\":2")),
        GRU("\"implementation\":0"),
    };
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        if (weir_definition_read(accepted[i], strlen(accepted[i]), 2, &d) != WEIR_OK)
            fail_msg("%s: %s", accepted[i], weir_last_error());
    assert_false(d.layers[0].shared_masks);
    /* A Bidirectional of Keras 3 has them always. */
    const char *text = accepted[1];
    assert_int_equal(weir_definition_read(text, strlen(text), 3, &d), WEIR_ERROR_FORMAT);
}

/* ---- models from definitions ---- */

static void expect_argument(const char *json, const weir_model_options *o, const char *words) {
    weir_model *m = NULL;
    assert_int_equal(weir_model_create_json(runtime, json, o, &m), WEIR_ERROR_ARGUMENT);
    assert_null(m);
    if (!strstr(weir_last_error(), words))
        fail_msg("'%s' does not say '%s'", weir_last_error(), words);
}

static void test_shape(void **state) {
    (void)state;
    static const char open_T[] =
        MODEL(LAYER("GRU", "\"batch_input_shape\":[null,null,3],\"units\":2"));
    weir_model_options o = weir_model_options_default(2);
    weir_model *m = NULL;
    expect_argument(open_T, &o, "leaves T open (null in batch_input_shape)");
    o.T = 7;
    assert_int_equal(weir_model_create_json(runtime, open_T, &o, &m), WEIR_OK);
    assert_int_equal(weir_model_T(m), 7);
    assert_int_equal(weir_model_C_in(m), 3);
    weir_model_destroy(m);
    expect_argument(GRU("\"name\":\"g\""), &o, "T is 20, what it is to read has 7");
    o.T = 0;
    o.C_in = 4;
    expect_argument(GRU("\"name\":\"g\""), &o, "C_in is 3, what it is to read has 4");
}

/* From its own text a model is made again, parameters and all, whatever the options' Keras. */
static void check_again(const weir_model *m, const weir_model_options *options) {
    weir_model_options o = *options;
    o.keras = 5 - o.keras;
    o.T = o.C_in = 0;
    char *text = NULL, *again = NULL;
    weir_model *n = NULL;
    assert_int_equal(weir_model_json(m, &text), WEIR_OK);
    if (weir_model_create_json(runtime, text, &o, &n) != WEIR_OK) fail_msg("%s", weir_last_error());
    assert_int_equal(weir_model_json(n, &again), WEIR_OK);
    assert_string_equal(text, again);
    if (m->parameters > 0)
        assert_memory_equal(m->values, n->values, (size_t)m->parameters * sizeof(float));
    weir_model_destroy(n);
    free(text);
    free(again);
}

static void test_builtins(void **state) {
    (void)state;
    const weir_builtin *b;
    int count = 0;
    for (; (b = weir_model_builtin(count)); count++) {
        for (int keras = 2; keras <= 3; keras++) {
            weir_model_options o = weir_model_options_default(keras);
            o.T = 80;
            o.C_in = b->text ? 1 : 3;
            o.V = 50;
            weir_model *m = NULL;
            assert_int_equal(weir_model_create(runtime, b->name, &o, &m), WEIR_OK);
            check_again(m, &o);
            weir_model_destroy(m);
        }
    }
    assert_int_equal(count, 20);
}

/* What the generator put beside the text is what the reader finds in it. */
static void test_recipes(void **state) {
    (void)state;
    static definition d;
    const weir_builtin *b;
    for (int i = 0; (b = weir_model_builtin(i)); i++) {
        cJSON *json = cJSON_Parse(b->json);
        weir_builtin r;
        assert_int_equal(weir_definition_read_json(json, 3, &d), WEIR_OK);
        assert_int_equal(weir_recipe_read(json, &d, &r), WEIR_OK);
        assert_int_equal(d.keras, 2);
        assert_string_equal(r.name, b->name);
        assert_string_equal(r.layers, b->layers);
        assert_int_equal(r.text, b->text);
        assert_int_equal(r.T, b->T);
        assert_int_equal(r.batch_size, b->batch_size);
        assert_int_equal(r.epochs, b->epochs);
        assert_int_equal(r.loss, b->loss);
        assert_true(r.rate == b->rate && r.step_minutes == b->step_minutes);
        cJSON_Delete(json);
    }
}

static void check_recipe(const char *layers, const char *weir, bool text, weir_loss loss) {
    static definition d;
    char all[400];
    snprintf(all, sizeof all,
             "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"m\",\"layers\":[%s]}%s}",
             layers, weir);
    cJSON *json = cJSON_Parse(all);
    weir_builtin r;
    assert_int_equal(weir_definition_read_json(json, 2, &d), WEIR_OK);
    if (weir_recipe_read(json, &d, &r) != WEIR_OK) fail_msg("%s", weir_last_error());
    assert_int_equal(r.text, text);
    assert_int_equal(r.loss, loss);
    assert_int_equal(r.T, text ? 500 : 240);
    cJSON_Delete(json);
}

static void test_recipe_defaults(void **state) {
    (void)state;
    check_recipe(LAYER("Dense", "\"units\":1"), "", false, WEIR_MAE);
    check_recipe(TOKENS LAYER("Dense", "\"units\":1"), "", true, WEIR_BCE_LOGITS);
    check_recipe(TOKENS LAYER("Dense", "\"units\":1,\"activation\":\"sigmoid\""), "", true,
                 WEIR_BCE);
    check_recipe(TOKENS LAYER("Dense", "\"units\":1"), ",\"weir\":{\"loss\":\"mse\"}", true,
                 WEIR_MSE);
    check_recipe(LAYER("Dense", "\"units\":1"), ",\"weir\":{\"task\":\"imdb\"}", true,
                 WEIR_BCE_LOGITS);
}

static void test_recipe_refusals(void **state) {
    (void)state;
    static definition d;
    static const char *const cases[][2] = {
        {"{\"weir\":[]}", "weir must be an object"},
        {"{\"weir\":{\"epoch\":1}}", "weir.epoch is not known, known: task, layers, loss, rate"},
        {"{\"weir\":{\"task\":\"mnist\"}}", "weir.task must be jena or imdb"},
        {"{\"weir\":{\"loss\":\"mape\"}}", "weir.loss must be mae, mse"},
        {"{\"weir\":{\"epochs\":0}}", "weir.epochs must be a whole number, 1 to"},
        {"{\"weir\":{\"rate\":-1}}", "weir.rate must be a number"},
        {"{\"weir\":{\"layers\":1}}", "weir.layers must be a text"},
        {"{\"weir\":{\"step_minutes\":0}}", "weir.step_minutes must be a number, 1 or more"},
    };
    read_text(GRU("\"name\":\"g\""), 2, &d);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *json = cJSON_Parse(cases[i][0]);
        weir_builtin r;
        assert_int_equal(weir_recipe_read(json, &d, &r), WEIR_ERROR_FORMAT);
        if (!strstr(weir_last_error(), cases[i][1]))
            fail_msg("'%s' does not say '%s'", weir_last_error(), cases[i][1]);
        cJSON_Delete(json);
    }
}

int main(int argc, char **argv) {
    folder = argc > 1 ? argv[1] : "tests/definitions";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keras_2),         cmocka_unit_test(test_keras_3),
        cmocka_unit_test(test_defaults),        cmocka_unit_test(test_backward_layer),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_zero_output),
        cmocka_unit_test(test_shape),           cmocka_unit_test(test_builtins),
        cmocka_unit_test(test_recipes),         cmocka_unit_test(test_recipe_defaults),
        cmocka_unit_test(test_recipe_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
