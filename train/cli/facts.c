/* What a result in JSON says of the run that it is from. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/facts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "train/model/json.h"

/* As it can be pasted into a shell. Grows text; returns the end. */
static char *append_quoted(char *at, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./,:=+@%";
    if (*word != '\0' && word[strspn(word, plain)] == '\0') return stpcpy(at, word);
    *at++ = '\'';
    for (; *word != '\0'; word++) at = *word == '\'' ? stpcpy(at, "'\\''") : (*at++ = *word, at);
    return stpcpy(at, "'");
}

static void add_command(cJSON *json, int argc, char **argv) {
    size_t size = sizeof "weir";
    for (int i = 0; i < argc; i++) size += 4 * strlen(argv[i]) + sizeof " ''";
    char *text = cJSON_malloc(size);
    if (!text) return;
    char *at = stpcpy(text, "weir");
    for (int i = 0; i < argc; i++) {
        *at++ = ' ';
        at = append_quoted(at, argv[i]);
    }
    weir_json_add_string(json, "command", text);
    cJSON_free(text);
}

static void add_machine(cJSON *json, weir_runtime *rt) {
    weir_machine_info machine;
    const bool known = weir_machine_describe(&machine) == WEIR_OK;
    weir_json_add_string(json, "cpu", known ? machine.cpu_model : "unknown");
    if (known) weir_json_add_number(json, "cores", machine.cores_allowed);
    weir_json_add(json, "threads", weir_json_number(weir_runtime_threads(rt)));
    weir_json_add_string(json, "isa", weir_isa_name(weir_runtime_isa(rt)));
}

static void add_data(cJSON *json, const task *t) {
    weir_json_add_string(json, "data", t->text ? t->d.source : t->s.source);
    weir_json_add_bool(json, "generated", t->text ? t->d.generated : t->s.generated);
    if (t->text) {
        weir_json_add(json, "reviews", weir_json_number((double)t->d.reviews));
        return;
    }
    weir_json_add(json, "rows", weir_json_number((double)t->s.rows));
    weir_json_add(json, "columns", weir_json_number((double)t->s.columns));
    weir_json_add_string(json, "unit", t->form.unit);
}

cJSON *facts_json(const char *kind, const char *family, const task *t, weir_runtime *rt, int argc,
                  char **argv) {
    char now[32] = "";
    const time_t seconds = time(NULL);
    struct tm utc;
    if (gmtime_r(&seconds, &utc)) strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &utc);
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "kind", kind);
    weir_json_add_string(json, "family", family);
    add_command(json, argc, argv);
    weir_json_add_string(json, "weir", weir_version());
    weir_json_add_string(json, "finished", now);
    add_machine(json, rt);
    add_data(json, t);
    return json;
}

weir_status facts_print(const cJSON *json) {
    char *text = weir_json_print_lines(json);
    if (!text) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the results");
    puts(text);
    cJSON_free(text);
    return WEIR_OK;
}
