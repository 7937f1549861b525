/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema of the file, from the rows that read it. It is for editors: what a row checks
 * beyond the type (ranges of spans, addresses) only `hob config check` knows. */
#include "base/assert.h"
#include "base/json_put.h"
#include "config/sections.h"
#include "config/show.h"

static void put_type(struct json_put *put, const struct setting *setting) {
    json_put_key(put, "type");
    if (setting->type == SETTING_TYPE_BOOL) {
        json_put_str(put, "boolean");
    } else if (setting->type == SETTING_TYPE_NUMBER) {
        json_put_str(put, "integer");
        json_put_key(put, "minimum");
        json_put_u64(put, setting->min);
        json_put_key(put, "maximum");
        json_put_u64(put, setting->max);
    } else if (setting_is_list(setting)) {
        json_put_array(put);
        json_put_str(put, "array");
        json_put_str(put, "string");
        json_put_array_end(put);
        json_put_key(put, "items");
        json_put_raw(put, SLICE("{\"type\":\"string\"}"));
        json_put_key(put, "minItems");
        json_put_u64(put, setting->min);
        json_put_key(put, "maxItems");
        json_put_u64(put, setting->max);
    } else {
        json_put_str(put, "string");
    }
    if (setting->type != SETTING_TYPE_CHOICE) return;
    json_put_key(put, "enum");
    json_put_array(put);
    for (const char *at = setting->value; *at != '\0';) {
        size_t size = strcspn(at, " ");
        json_put_text(put, slice_of(at, size));
        at += size + (at[size] == ' ');
    }
    json_put_array_end(put);
}

/* A section may be empty: all its lines are comments. */
static void put_open(struct json_put *put, struct slice type) {
    json_put_object(put);
    json_put_key(put, "type");
    json_put_raw(put, type);
    json_put_key(put, "additionalProperties");
    json_put_bool(put, false);
    json_put_key(put, "properties");
    json_put_object(put);
}

static void put_open_object(struct json_put *put) {
    put_open(put, SLICE("\"object\""));
}

static void put_open_section(struct json_put *put) {
    put_open(put, SLICE("[\"object\",\"null\"]"));
}

static void put_close_object(struct json_put *put) {
    json_put_object_end(put);
    json_put_object_end(put);
}

/* The settings right in @section. */
static void put_settings(struct json_put *put, struct slice section) {
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (!setting_is_below(&settings[i], section)) continue;
        const char *key = settings[i].path + section.size + 1;
        if (strchr(key, '.') != NULL) continue;
        json_put_key(put, key);
        json_put_object(put);
        put_type(put, &settings[i]);
        json_put_key(put, "description");
        json_put_str(put, settings[i].help);
        json_put_object_end(put);
    }
}

/* The sections inside of @section. */
static void put_inner(struct json_put *put, struct slice section) {
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (!setting_is_below(&settings[i], section)) continue;
        const char *key = settings[i].path + section.size + 1;
        size_t size = strcspn(key, ".");
        if (key[size] == '\0' || !setting_is_first_of(i, section.size + 1 + size)) continue;
        json_put_key_slice(put, slice_of(key, size));
        put_open_section(put);
        put_settings(put, slice_of(settings[i].path, section.size + 1 + size));
        put_close_object(put);
    }
}

static void put_keys(struct json_put *put, const struct yaml_key *keys, size_t count) {
    put_open_object(put);
    for (size_t i = 0; i < count; i++) {
        json_put_key(put, keys[i].name);
        json_put_object(put);
        if (keys[i].help != NULL) {
            json_put_key(put, "description");
            json_put_str(put, keys[i].help);
        }
        json_put_object_end(put);
    }
    put_close_object(put);
}

/* A mapping of names that are free to choose; the schema of each value is next. */
static void put_named(struct json_put *put, const char *part) {
    json_put_key(put, part);
    json_put_object(put);
    json_put_key(put, "type");
    json_put_raw(put, SLICE("[\"object\",\"null\"]"));
    json_put_key(put, "additionalProperties");
}

static void put_kinds(struct json_put *put, struct config_readers readers) {
    put_named(put, "kinds");
    json_put_object(put);
    json_put_key(put, "anyOf");
    json_put_array(put);
    for (size_t i = 0; i < readers.count; i++) {
        const struct kind_reader *reader = readers.items[i];
        if (reader->key != NULL) {
            put_open_object(put);
            json_put_key(put, reader->key);
        }
        put_keys(put, reader->keys, reader->key_count);
        if (reader->key != NULL) put_close_object(put);
    }
    json_put_array_end(put);
    json_put_object_end(put);
    json_put_object_end(put);
}

void config_schema(struct config_readers readers, struct buf *out) {
    struct json_put put = json_put_to(out);
    json_put_object(&put);
    json_put_key(&put, "$schema");
    json_put_str(&put, "https://json-schema.org/draft/2020-12/schema");
    json_put_key(&put, "title");
    json_put_str(&put, "hob.yaml");
    json_put_key(&put, "type");
    json_put_str(&put, "object");
    json_put_key(&put, "additionalProperties");
    json_put_bool(&put, false);
    json_put_key(&put, "properties");
    json_put_object(&put);
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        struct slice section = slice_of(settings[i].path, strcspn(settings[i].path, "."));
        if (!setting_is_first_of(i, section.size)) continue;
        json_put_key_slice(&put, section);
        put_open_section(&put);
        put_settings(&put, section);
        put_inner(&put, section);
        put_close_object(&put);
    }
    size_t count = 0;
    const struct yaml_key *keys = queue_keys(&count);
    put_named(&put, "queues");
    put_keys(&put, keys, count);
    json_put_object_end(&put);
    keys = limiter_keys(&count);
    put_named(&put, "limiters");
    put_keys(&put, keys, count);
    json_put_object_end(&put);
    put_kinds(&put, readers);
    put_named(&put, "secrets");
    json_put_raw(&put, SLICE("{\"type\":\"string\"}"));
    json_put_object_end(&put);
    json_put_object_end(&put);
    json_put_object_end(&put);
}
