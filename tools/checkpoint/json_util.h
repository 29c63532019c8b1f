/* SPDX-License-Identifier: GPL-2.0 */
/* Members of JSON objects in one line. */
#ifndef _TOOLS_CHECKPOINT_JSON_UTIL_H
#define _TOOLS_CHECKPOINT_JSON_UTIL_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#define JSON_PRETTY	(JSON_C_TO_STRING_PRETTY | \
			 JSON_C_TO_STRING_NOSLASHESCAPE)

static inline void json_put_u64(struct json_object *obj, const char *name,
				uint64_t value)
{
	json_object_object_add(obj, name, json_object_new_uint64(value));
}

static inline void json_put_int(struct json_object *obj, const char *name,
				int value)
{
	json_object_object_add(obj, name, json_object_new_int(value));
}

static inline void json_put_bool(struct json_object *obj, const char *name,
				 bool value)
{
	json_object_object_add(obj, name, json_object_new_boolean(value));
}

static inline void json_put_str(struct json_object *obj, const char *name,
				const char *value)
{
	json_object_object_add(obj, name, json_object_new_string(value));
}

#endif /* _TOOLS_CHECKPOINT_JSON_UTIL_H */
