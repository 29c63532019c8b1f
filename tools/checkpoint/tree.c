// SPDX-License-Identifier: GPL-2.0
/*
 * A record as a JSON tree, and back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "crc32c.h"
#include "json_util.h"
#include "tree.h"

/* --- bytes and strings ------------------------------------------------------------ */

static size_t without_zeros(const uint8_t *bytes, size_t len)
{
	while (len && !bytes[len - 1])
		len--;
	return len;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Back; false when it is no such string or has no room. */
static bool unescape_bytes(const char *s, size_t len, uint8_t *to, size_t room)
{
	size_t i = 0, used = 0;
	int high, low;
	uint8_t byte;

	while (i < len) {
		byte = s[i++];
		if (byte == '\\') {
			if (i < len && s[i] == '\\') {
				i++;
			} else if (len - i >= 3 && s[i] == 'x') {
				high = hex_digit(s[i + 1]);
				low = hex_digit(s[i + 2]);
				if (high < 0 || low < 0)
					return false;
				byte = high << 4 | low;
				i += 3;
			} else {
				return false;
			}
		}
		if (used >= room)
			return false;
		to[used++] = byte;
	}
	return true;
}

static struct json_object *json_bytes(const uint8_t *bytes, size_t len)
{
	char *s = escape_bytes(bytes, len);
	struct json_object *obj = NULL;

	if (s)
		obj = json_object_new_string(s);
	free(s);
	return obj;
}

/* --- to a tree ---------------------------------------------------------------------- */

static struct json_object *struct_to_tree(const struct ckpt_struct *layout,
					  const uint8_t *bytes, size_t len,
					  size_t *used);

static struct json_object *one_to_tree(const struct ckpt_field *field,
				       const uint8_t *bytes)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int32_t s32;
	int64_t s64;
	size_t used;

	switch (field->type) {
	case CKPT_FIELD_U8:
		return json_object_new_int(*bytes);
	case CKPT_FIELD_U16:
		memcpy(&u16, bytes, sizeof(u16));
		return json_object_new_int(u16);
	case CKPT_FIELD_U32:
	case CKPT_FIELD_REF:
		memcpy(&u32, bytes, sizeof(u32));
		return json_object_new_int64(u32);
	case CKPT_FIELD_U64:
		memcpy(&u64, bytes, sizeof(u64));
		return json_object_new_uint64(u64);
	case CKPT_FIELD_S32:
		memcpy(&s32, bytes, sizeof(s32));
		return json_object_new_int(s32);
	case CKPT_FIELD_S64:
		memcpy(&s64, bytes, sizeof(s64));
		return json_object_new_int64(s64);
	case CKPT_FIELD_STRUCT:
		return struct_to_tree(field->sub, bytes, field->size, &used);
	}
	return NULL;
}

static struct json_object *field_to_tree(const struct ckpt_field *field,
					 const uint8_t *bytes, size_t count)
{
	struct json_object *list;
	size_t i;

	if (field->array == CKPT_ARRAY_NONE)
		return one_to_tree(field, bytes);
	if (field->type == CKPT_FIELD_U8)
		return json_bytes(bytes, count);
	list = json_object_new_array();
	for (i = 0; list && i < count; i++, bytes += field->size)
		json_object_array_add(list, one_to_tree(field, bytes));
	return list;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	return !without_zeros(bytes, len);
}

/* The fields that are whole; @used tells how many bytes they are. */
static struct json_object *struct_to_tree(const struct ckpt_struct *layout,
					  const uint8_t *bytes, size_t len,
					  size_t *used)
{
	struct json_object *tree = json_object_new_object();
	const struct ckpt_field *field;
	size_t count, size;
	uint32_t i;

	*used = 0;
	for (i = 0; tree && i < layout->nr_fields; i++) {
		field = &layout->fields[i];
		count = field->count;
		if (field->array == CKPT_ARRAY_FLEX && field->offset <= len)
			count = (len - field->offset) / field->size;
		size = count * field->size;
		if (field->offset > len || size > len - field->offset)
			break;
		*used = field->offset + size;
		if (field->pad && all_zero(bytes + field->offset, size))
			continue;
		json_object_object_add(tree, field->name,
				       field_to_tree(field,
						     bytes + field->offset,
						     count));
	}
	return tree;
}

/* A record, without the page contents behind it. */
struct json_object *tree_from_rec(const struct image_rec *rec)
{
	struct json_object *tree = json_object_new_object(), *member;
	const struct ckpt_rec_hdr *hdr = &rec->hdr;
	size_t used = 0;

	if (!tree)
		return NULL;
	json_put_u64(tree, "offset", rec->offset);
	json_put_str(tree, "type", rec->desc ? rec->desc->name : "unknown");
	json_put_u64(tree, "type_nr", hdr->type);
	json_put_int(tree, "version", hdr->version);
	json_put_int(tree, "flags", hdr->flags);
	json_put_u64(tree, "len", hdr->len);
	json_put_u64(tree, "objref", hdr->objref);
	json_put_u64(tree, "crc32c", hdr->crc32c);
	if (rec->pages_bytes) {
		json_put_u64(tree, "pages_offset", rec->pages_offset);
		json_put_u64(tree, "pages_bytes", rec->pages_bytes);
	}
	if (rec->desc && rec->desc->layout) {
		member = struct_to_tree(rec->desc->layout, rec->payload,
					hdr->len, &used);
		json_object_object_add(tree, "payload", member);
	}
	if (used < hdr->len) {
		member = json_bytes(rec->payload + used, hdr->len - used);
		json_object_object_add(tree, "rest", member);
	}
	return tree;
}

/* --- from a tree ---------------------------------------------------------------------- */

static bool tree_to_struct(const struct ckpt_struct *layout,
			   struct json_object *tree, uint8_t *bytes, size_t len,
			   size_t *used, const char **error);

static bool get_num(struct json_object *tree, uint64_t *value, int64_t min,
		    uint64_t max)
{
	int64_t s64;

	if (!json_object_is_type(tree, json_type_int))
		return false;
	s64 = json_object_get_int64(tree);
	if (s64 < 0) {
		*value = s64;
		return s64 >= min;
	}
	*value = json_object_get_uint64(tree);
	return *value <= max;
}

static bool tree_to_one(const struct ckpt_field *field,
			struct json_object *tree, uint8_t *bytes,
			const char **error)
{
	uint64_t value = 0;
	size_t used;
	bool ok = false;

	switch (field->type) {
	case CKPT_FIELD_U8:
		ok = get_num(tree, &value, 0, UINT8_MAX);
		break;
	case CKPT_FIELD_U16:
		ok = get_num(tree, &value, 0, UINT16_MAX);
		break;
	case CKPT_FIELD_U32:
	case CKPT_FIELD_REF:
		ok = get_num(tree, &value, 0, UINT32_MAX);
		break;
	case CKPT_FIELD_U64:
		ok = get_num(tree, &value, 0, UINT64_MAX);
		break;
	case CKPT_FIELD_S32:
		ok = get_num(tree, &value, INT32_MIN, INT32_MAX);
		break;
	case CKPT_FIELD_S64:
		ok = get_num(tree, &value, INT64_MIN, INT64_MAX);
		break;
	case CKPT_FIELD_STRUCT:
		return tree_to_struct(field->sub, tree, bytes, field->size,
				      &used, error);
	}
	if (!ok)
		*error = field->name;
	else
		memcpy(bytes, &value, field->size);
	return ok;
}

static bool tree_to_field(const struct ckpt_field *field,
			  struct json_object *tree, uint8_t *bytes,
			  size_t count, const char **error)
{
	size_t i, nr;

	if (field->array == CKPT_ARRAY_NONE)
		return tree_to_one(field, tree, bytes, error);
	if (field->type == CKPT_FIELD_U8) {
		if (json_object_is_type(tree, json_type_string) &&
		    unescape_bytes(json_object_get_string(tree),
				   json_object_get_string_len(tree), bytes,
				   count))
			return true;
		*error = field->name;
		return false;
	}
	nr = json_object_is_type(tree, json_type_array) ?
	     json_object_array_length(tree) : SIZE_MAX;
	if (nr != count) {
		*error = field->name;
		return false;
	}
	for (i = 0; i < nr; i++)
		if (!tree_to_one(field, json_object_array_get_idx(tree, i),
				 bytes + i * field->size, error))
			return false;
	return true;
}

/* @bytes are zero. What the tree does not hold stays so. */
static bool tree_to_struct(const struct ckpt_struct *layout,
			   struct json_object *tree, uint8_t *bytes, size_t len,
			   size_t *used, const char **error)
{
	const struct ckpt_field *field;
	struct json_object *member;
	size_t count, size;
	int found = 0;
	uint32_t i;

	*used = 0;
	*error = layout->name;
	if (!json_object_is_type(tree, json_type_object))
		return false;
	for (i = 0; i < layout->nr_fields; i++) {
		field = &layout->fields[i];
		count = field->count;
		if (field->array == CKPT_ARRAY_FLEX && field->offset <= len)
			count = (len - field->offset) / field->size;
		size = count * field->size;
		if (field->offset > len || size > len - field->offset)
			break;
		*used = field->offset + size;
		if (!json_object_object_get_ex(tree, field->name, &member))
			continue;
		found++;
		if (!tree_to_field(field, member, bytes + field->offset, count,
				   error))
			return false;
	}
	/* A member that is not known would be lost. */
	*error = layout->name;
	return found == json_object_object_length(tree);
}

static bool get_member(struct json_object *tree, const char *name, uint64_t max,
		       uint64_t *value, const char **error)
{
	struct json_object *member;

	*error = name;
	return json_object_object_get_ex(tree, name, &member) &&
	       get_num(member, value, 0, max);
}

/*
 * The bytes of a record, padding included and with its checksum, to be freed by
 * the caller. 0, -ENOMEM, or -EINVAL and in @error the name of what is wrong.
 */
int tree_to_rec(struct json_object *tree, uint8_t **out, size_t *out_len,
		const char **error)
{
	uint64_t type, version, flags, len, objref;
	const struct ckpt_rec_desc *desc;
	struct ckpt_rec_hdr hdr = { 0 };
	struct json_object *member;
	uint8_t *bytes, *payload;
	size_t used = 0, size;

	if (!get_member(tree, "type_nr", UINT32_MAX, &type, error) ||
	    !get_member(tree, "version", UINT16_MAX, &version, error) ||
	    !get_member(tree, "flags", UINT16_MAX, &flags, error) ||
	    !get_member(tree, "len", IMAGE_MAX_RECORD, &len, error) ||
	    !get_member(tree, "objref", UINT32_MAX, &objref, error))
		return -EINVAL;
	size = sizeof(hdr) + image_round_up(len);
	bytes = calloc(1, size);
	if (!bytes)
		return -ENOMEM;
	payload = bytes + sizeof(hdr);

	desc = ckpt_rec_desc_find(type);
	if (desc && desc->layout) {
		*error = "payload";
		if (!json_object_object_get_ex(tree, "payload", &member) ||
		    !tree_to_struct(desc->layout, member, payload, len, &used,
				    error))
			goto bad;
	}
	if (json_object_object_get_ex(tree, "rest", &member)) {
		*error = "rest";
		if (!json_object_is_type(member, json_type_string) ||
		    !unescape_bytes(json_object_get_string(member),
				    json_object_get_string_len(member),
				    payload + used, len - used))
			goto bad;
	}

	hdr.type = type;
	hdr.version = version;
	hdr.flags = flags;
	hdr.len = len;
	hdr.objref = objref;
	memcpy(bytes, &hdr, sizeof(hdr));
	hdr.crc32c = crc32c(0, bytes, size);
	memcpy(bytes, &hdr, sizeof(hdr));
	*out = bytes;
	*out_len = size;
	return 0;

bad:
	free(bytes);
	return -EINVAL;
}
