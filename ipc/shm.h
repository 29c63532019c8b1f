/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What shm.c and a checkpoint of System V shared memory share.
 */
#ifndef _IPC_SHM_H
#define _IPC_SHM_H

#include <linux/fs.h>
#include <linux/ipc_namespace.h>
#include <linux/shm.h>

struct shmid_kernel /* private to the kernel */
{
	struct kern_ipc_perm	shm_perm;
	struct file		*shm_file;
	unsigned long		shm_nattch;
	unsigned long		shm_segsz;
	time64_t		shm_atim;
	time64_t		shm_dtim;
	time64_t		shm_ctim;
	struct pid		*shm_cprid;
	struct pid		*shm_lprid;
	struct ucounts		*mlock_ucounts;

	/*
	 * The task created the shm object, for
	 * task_lock(shp->shm_creator)
	 */
	struct task_struct	*shm_creator;

	/*
	 * List by creator. task_lock(->shm_creator) required for read/write.
	 * If list_empty(), then the creator is dead already.
	 */
	struct list_head	shm_clist;
	struct ipc_namespace	*ns;
} __randomize_layout;

/* shm_mode upper byte flags */
#define SHM_DEST	01000	/* segment will be destroyed on last detach */
#define SHM_LOCKED	02000   /* segment will not be swapped */

struct shm_file_data {
	int id;
	struct ipc_namespace *ns;
	struct file *file;
	const struct vm_operations_struct *vm_ops;
};

#define shm_file_data(file) (*((struct shm_file_data **)&(file)->private_data))

extern const struct file_operations shm_file_operations;

/*
 * Called with shm_ids.rwsem (writer) and the object locked. Only
 * shm_ids.rwsem remains locked on exit.
 */
void do_shm_rmid(struct ipc_namespace *ns, struct kern_ipc_perm *ipcp);

#endif /* _IPC_SHM_H */
