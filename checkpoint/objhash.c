// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: what several users share is saved once and referred to by number.
 *
 * Saving finds an object by its address (a hash table), restarting by its
 * number (an array, as the numbers are dense). Both keep them in the order of
 * their numbers. They go away with the context.
 */

#include <linux/hash.h>
#include <linux/slab.h>

#include "internal.h"

static u32 hash_obj_ptr(const void *key, u32 len, u32 seed)
{
	return hash_ptr(*(void *const *)key, 32) ^ seed;
}

static int cmp_obj_ptr(struct rhashtable_compare_arg *arg, const void *obj)
{
	return ((const struct ckpt_obj *)obj)->ptr != *(void *const *)arg->key;
}

/* Objects of a small image; with 0 this is a power of two of them. */
#define FIRST_ROOM	127

static const struct rhashtable_params obj_params = {
	.hashfn = hash_obj_ptr,
	.obj_cmpfn = cmp_obj_ptr,
	.key_len = sizeof_field(struct ckpt_obj, ptr),
	.key_offset = offsetof(struct ckpt_obj, ptr),
	.head_offset = offsetof(struct ckpt_obj, hash_node),
	.automatic_shrinking = false,
};

/**
 * ckpt_objs_init() - prepare a checkpoint for objects
 * @ctx: the checkpoint
 * @nr: how many there may be, about; the table grows where need be
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_objs_init(struct ckpt_ctx *ctx, unsigned int nr)
{
	struct rhashtable_params params = obj_params;

	params.nelem_hint = clamp(nr, 32U, 4096U);
	return rhashtable_init(&ctx->obj_hash, &params);
}

/**
 * ckpt_objs_release() - give back what the objects hold
 * @ctx: the context; nobody asks for an object's ptr any more
 */
void ckpt_objs_release(struct ckpt_ctx *ctx)
{
	struct ckpt_obj *obj;

	/* Users come behind what they use. */
	list_for_each_entry_reverse(obj, &ctx->objs, node) {
		if (obj->ptr && obj->release)
			obj->release(obj->ptr);
		obj->ptr = NULL;
	}
}

/**
 * ckpt_objs_destroy() - forget all objects and give back what they hold
 * @ctx: the context
 */
void ckpt_objs_destroy(struct ckpt_ctx *ctx)
{
	/* The hash goes first, it looks at the ptr. */
	ctx->obj_found = NULL;
	if (rcu_access_pointer(ctx->obj_hash.tbl))
		rhashtable_destroy(&ctx->obj_hash);
	ckpt_objs_release(ctx);
	INIT_LIST_HEAD(&ctx->objs);
	kvfree(ctx->obj_by_ref);
}

/**
 * ckpt_collect() - note one more use of an object by the tree
 * @ctx: the checkpoint
 * @kind: what it is, a kind with ->object
 * @ptr: the object; the caller sees to it that it lives during the call
 *
 * The first time a reference is taken (->obj_get), the objects that it uses
 * are collected (->obj_collect) and it gets its number, behind theirs.
 *
 * Return: 0 or -errno; a refusal has been noted with ckpt_refuse().
 */
int ckpt_collect(struct ckpt_ctx *ctx, const struct ckpt_kind *kind, void *ptr)
{
	struct ckpt_obj *obj;
	int ret;

	obj = ckpt_obj_find(ctx, ptr);
	if (obj) {
		if (obj->kind != kind)
			return ckpt_refuse(ctx, -EINVAL,
					   "is both of kind %s and of kind %s",
					   obj->kind->name, kind->name);
		obj->users++;
		return 0;
	}

	obj = ckpt_zalloc(ctx, sizeof(*obj));
	if (!obj)
		return -ENOMEM;
	obj->ptr = ptr;
	obj->kind = kind;
	obj->users = 1;
	obj->task = ctx->where.task;
	INIT_LIST_HEAD(&obj->recs);
	ret = rhashtable_insert_fast(&ctx->obj_hash, &obj->hash_node,
				     obj_params);
	if (ret)
		return ret;
	if (kind->obj_get) {
		kind->obj_get(ptr);
		obj->release = kind->obj_put;
	}
	/*
	 * In the list from now on, so that it goes away with the context, but
	 * behind the objects that it uses.
	 */
	INIT_LIST_HEAD(&obj->node);
	ret = kind->obj_collect ? kind->obj_collect(ctx, obj) : 0;
	obj->ref = ++ctx->nr_objs;
	list_add_tail(&obj->node, &ctx->objs);
	return ret;
}

/**
 * ckpt_obj_find() - find a collected object
 * @ctx: the checkpoint
 * @ptr: the kernel's object
 *
 * Return: the object or NULL.
 */
struct ckpt_obj *ckpt_obj_find(struct ckpt_ctx *ctx, const void *ptr)
{
	struct ckpt_obj *obj = ctx->obj_found;

	/* The records of an object ask for it one after the other. */
	if (!obj || obj->ptr != ptr) {
		obj = rhashtable_lookup_fast(&ctx->obj_hash, &ptr, obj_params);
		if (obj)
			ctx->obj_found = obj;
	}
	return obj;
}

/**
 * ckpt_ref() - the number of a collected object
 * @ctx: the checkpoint
 * @ptr: the kernel's object, or NULL
 *
 * Return: its number; 0 for NULL and for what was not collected.
 */
ckpt_ref_t ckpt_ref(struct ckpt_ctx *ctx, const void *ptr)
{
	struct ckpt_obj *obj = ptr ? ckpt_obj_find(ctx, ptr) : NULL;

	return obj ? obj->ref : 0;
}

/**
 * ckpt_objs_save() - write the records of all objects in the order of numbers
 * @ctx: the checkpoint
 *
 * Return: 0 or -errno.
 */
int ckpt_objs_save(struct ckpt_ctx *ctx)
{
	struct ckpt_obj *obj;
	int ret;

	list_for_each_entry(obj, &ctx->objs, node) {
		ctx->where.task = obj->task;
		ctx->where.kind = obj->kind->name;
		ret = obj->kind->obj_save(ctx, obj);
		if (ret)
			return ret;
	}
	ctx->where.task = ctx->task;
	ctx->where.kind = NULL;
	return 0;
}

/* Twice as much: each is moved twice at the most. */
static int make_room(struct ckpt_ctx *ctx)
{
	ckpt_ref_t room = ctx->obj_room ? 2 * ctx->obj_room + 1 : FIRST_ROOM;
	struct ckpt_obj **objs;

	objs = kvrealloc(ctx->obj_by_ref, (room + 1ULL) * sizeof(*objs),
			 GFP_KERNEL_ACCOUNT);
	if (!objs)
		return -ENOMEM;
	objs[0] = NULL;
	ctx->obj_by_ref = objs;
	ctx->obj_room = room;
	return 0;
}

/**
 * ckpt_obj_define() - an object's defining record was read
 * @ctx: the restart
 * @rec: its record, with the next number
 *
 * Return: 0, -EINVAL for a wrong number, -ENOMEM.
 */
int ckpt_obj_define(struct ckpt_ctx *ctx, struct ckpt_rec *rec)
{
	struct ckpt_obj *obj;
	int ret;

	if (rec->objref != ctx->nr_objs + 1)
		return ckpt_refuse(ctx, -EINVAL, "object %u where %u is due",
				   rec->objref, ctx->nr_objs + 1);
	ret = ctx->nr_objs < ctx->obj_room ? 0 : make_room(ctx);
	if (ret)
		return ret;
	obj = ckpt_zalloc(ctx, sizeof(*obj));
	if (!obj)
		return -ENOMEM;
	obj->kind = rec->kind;
	obj->ref = rec->objref;
	obj->rec = rec;
	INIT_LIST_HEAD(&obj->recs);
	ctx->obj_by_ref[++ctx->nr_objs] = obj;
	list_add_tail(&obj->node, &ctx->objs);
	return 0;
}

/**
 * ckpt_obj_set() - an object was made
 * @ctx: the restart
 * @ref: its number, which exists
 * @ptr: what was made; the context owns it now
 * @release: gives it back when the context ends
 */
void ckpt_obj_set(struct ckpt_ctx *ctx, ckpt_ref_t ref, void *ptr,
		  void (*release)(void *ptr))
{
	struct ckpt_obj *obj = ckpt_obj_get(ctx, ref);

	if (WARN_ON_ONCE(!obj || obj->ptr)) {
		if (release)
			release(ptr);
		return;
	}
	obj->ptr = ptr;
	obj->release = release;
}

/**
 * ckpt_obj_ptr() - what was made for a number
 * @ctx: the restart
 * @ref: its number
 *
 * Return: what ckpt_obj_set() was told, NULL before it. The context keeps its
 * reference.
 */
void *ckpt_obj_ptr(struct ckpt_ctx *ctx, ckpt_ref_t ref)
{
	struct ckpt_obj *obj = ckpt_obj_get(ctx, ref);

	return obj ? obj->ptr : NULL;
}

/**
 * ckpt_ref_is_type() - does a number mean an object of this type?
 * @ctx: the restart
 * @ref: the number, from an image
 * @type: CKPT_REC_*
 *
 * Return: false also for 0 and for what is not defined yet.
 */
bool ckpt_ref_is_type(struct ckpt_ctx *ctx, ckpt_ref_t ref, u32 type)
{
	struct ckpt_obj *obj = ckpt_obj_get(ctx, ref);

	return obj && obj->kind->type == type;
}

/**
 * ckpt_ref_is_family() - does a number mean an object of this family?
 * @ctx: the restart
 * @ref: the number, from an image
 * @family: the family
 *
 * Return: false also for 0 and for what is not defined yet.
 */
bool ckpt_ref_is_family(struct ckpt_ctx *ctx, ckpt_ref_t ref,
			enum ckpt_family family)
{
	struct ckpt_obj *obj = ckpt_obj_get(ctx, ref);

	return obj && obj->kind->family == family;
}
