// SPDX-License-Identifier: GPL-2.0
/*
 * System V IPC. Shared memory that is attached: contents, ids and keys, rights,
 * removed and locked segments; what is there at a restart. Operations on
 * semaphores that are to be undone.
 */
#include "ckpt_image.h"

#include <sched.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define PAGE		4096UL
#define SIZE		(5 * PAGE + 123)
#define ROUNDED		(6 * PAGE)

#ifndef SHM_DEST
#define SHM_DEST	01000
#define SHM_LOCKED	02000
#endif

/* --- helpers of the targets ------------------------------------------------- */

static key_t own_key(void)
{
	return 0x5c000000 + getpid();
}

static int new_segment(key_t key, size_t size, int flags)
{
	int id = shmget(key, size, IPC_CREAT | IPC_EXCL | flags);

	if (id < 0 && errno == ENOSYS)
		ckpt_skip("no System V shared memory");
	NEED(id >= 0);
	ckpt_value[2] = id;
	ckpt_value[3] = key;
	return id;
}

static char *attach(int id, void *addr, int flags)
{
	char *mem = shmat(id, addr, flags);

	NEED(mem != (char *)-1);
	return mem;
}

static struct shmid_ds stat_of(int id)
{
	struct shmid_ds ds = {};

	CHECK_EQ(0, shmctl(id, IPC_STAT, &ds));
	return ds;
}

static void remove_segment(int id)
{
	CHECK_EQ(0, shmctl(id, IPC_RMID, NULL));
}

/* --- what comes back -------------------------------------------------------- */

ROUNDTRIP(segment)
{
	struct shmid_ds before, after;
	key_t key = own_key();
	char *mem, *again;
	int id;

	id = new_segment(key, SIZE, 0640);
	mem = attach(id, NULL, 0);
	ckpt_fill(mem, SIZE, 1);
	again = attach(id, NULL, SHM_RDONLY);
	NEED(!shmdt(again));
	before = stat_of(id);
	ckpt_point();
	CHECK_FILL(mem, SIZE, 1);
	CHECK_EQ(0, mem[SIZE]);
	after = stat_of(id);
	CHECK_EQ(key, after.shm_perm.__key);
	CHECK_EQ(0640, after.shm_perm.mode);
	CHECK_EQ(SIZE, after.shm_segsz);
	CHECK_EQ(1, after.shm_nattch);
	CHECK_EQ(getpid(), after.shm_cpid);
	CHECK_EQ(getpid(), after.shm_lpid);
	CHECK_EQ(before.shm_atime, after.shm_atime);
	CHECK_EQ(before.shm_dtime, after.shm_dtime);
	CHECK_EQ(before.shm_ctime, after.shm_ctime);
	CHECK_EQ(getuid(), after.shm_perm.cuid);
	CHECK_EQ(id, shmget(key, SIZE, 0));
	again = attach(id, NULL, 0);
	CHECK_FILL(again, SIZE, 1);
	again[7]++;
	CHECK_EQ(again[7], mem[7]);
	CHECK_EQ(2, stat_of(id).shm_nattch);
	CHECK_EQ(0, shmdt(mem));
	CHECK_EQ(0, shmdt(again));
	CHECK_EQ(0, stat_of(id).shm_nattch);
	remove_segment(id);
}

/* Gone with its last user: a restart makes it anew. */
ROUNDTRIP(removed)
{
	char *mem, *again;
	int id;

	id = new_segment(own_key(), SIZE, 0600);
	mem = attach(id, NULL, 0);
	ckpt_fill(mem, SIZE, 2);
	remove_segment(id);
	ckpt_point();
	CHECK_FILL(mem, SIZE, 2);
	CHECK_EQ(SHM_DEST | 0600, stat_of(id).shm_perm.mode);
	CHECK_EQ(IPC_PRIVATE, stat_of(id).shm_perm.__key);
	CHECK_EQ(1, stat_of(id).shm_nattch);
	CHECK_EQ(-1, shmget(own_key(), SIZE, 0));
	again = attach(id, NULL, 0);
	CHECK_FILL(again, SIZE, 2);
	CHECK_EQ(0, shmdt(mem));
	CHECK_EQ(0, shmdt(again));
	CHECK_EQ((void *)-1, shmat(id, NULL, 0));
}

/* Pieces of one shmat() go with one shmdt(). */
ROUNDTRIP(pieces)
{
	char *mem, *other, *ro;
	int id;

	id = new_segment(IPC_PRIVATE, ROUNDED, 0600);
	mem = attach(id, NULL, 0);
	other = attach(id, NULL, 0);
	ro = attach(id, NULL, SHM_RDONLY);
	remove_segment(id);
	ckpt_fill(mem, ROUNDED, 3);
	NEED(!mprotect(mem + PAGE, PAGE, PROT_READ));
	NEED(!munmap(mem + 3 * PAGE, PAGE));
	ckpt_value[1] = (long)mem;
	ckpt_point();
	CHECK_FILL(other, ROUNDED, 3);
	CHECK_FILL(ro, ROUNDED, 3);
	CHECK(!memcmp(mem, ro, 3 * PAGE));
	CHECK(!memcmp(mem + 4 * PAGE, ro + 4 * PAGE, 2 * PAGE));
	CHECK_EQ(-1, mprotect(ro, PAGE, PROT_READ | PROT_WRITE));
	CHECK_EQ(EACCES, errno);
	CHECK_EQ(0, mprotect(mem + PAGE, PAGE, PROT_READ | PROT_WRITE));
	mem[PAGE]++;
	CHECK_EQ(mem[PAGE], ro[PAGE]);
	CHECK_EQ(mem[PAGE], other[PAGE]);
	CHECK_EQ(0, shmdt(mem));
	CHECK_EQ(2, stat_of(id).shm_nattch);
	CHECK_EQ(-1, mincore(mem, PAGE, (void *)&ckpt_value[4]));
	CHECK_EQ(-1, mincore(mem + 4 * PAGE, PAGE, (void *)&ckpt_value[4]));
	CHECK_EQ(0, shmdt(other));
	CHECK_EQ(0, shmdt(ro));
}

/* It comes back with its own pid, whatever that is, and so does its creator. */
static void made_by_child(void)
{
	volatile int *shared;
	int status, id;
	pid_t pid;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(shared != MAP_FAILED);
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		id = new_segment(IPC_PRIVATE, PAGE, 0600);
		*shared = id + 1;
		for (;;)
			pause();
	}
	while (!*shared)
		usleep(1000);
	id = *shared - 1;
	attach(id, NULL, 0)[0] = 'x';
	remove_segment(id);
	CHECK_EQ(pid, stat_of(id).shm_cpid);
	ckpt_point();
	CHECK_EQ(getpid(), stat_of(id).shm_lpid);
	pid = stat_of(id).shm_cpid;
	NEED(pid > 0 && pid != getpid());
	CHECK_EQ(0, kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(-1, &status, 0));
}

ROUNDTRIP(child_is_creator)
{
	made_by_child();
}

ROUNDTRIP_OPT(child_is_creator_fresh, CKPT_RT_FRESH)
{
	made_by_child();
}

ROUNDTRIP(sparse)
{
	unsigned char core[1024];
	unsigned long i;
	char *mem;
	int id;

	id = new_segment(IPC_PRIVATE, sizeof(core) * PAGE, 0600);
	mem = attach(id, NULL, 0);
	remove_segment(id);
	for (i = 0; i < sizeof(core); i += 100)
		mem[i * PAGE] = i / 100 + 1;
	ckpt_point();
	CHECK_EQ(0, mincore(mem, sizeof(core) * PAGE, core));
	for (i = 0; i < sizeof(core); i++) {
		CHECK_EQ(i % 100 == 0, core[i] & 1);
		CHECK_EQ(i % 100 ? 0 : i / 100 + 1, mem[i * PAGE]);
	}
}

ROUNDTRIP(owner)
{
	struct shmid_ds ds;
	int id;

	if (getuid())
		ckpt_skip("needs root");
	id = new_segment(IPC_PRIVATE, PAGE, 0600);
	attach(id, NULL, 0)[0] = 'x';
	ds = stat_of(id);
	ds.shm_perm.uid = 12;
	ds.shm_perm.gid = 34;
	ds.shm_perm.mode = 0451;
	NEED(!shmctl(id, IPC_SET, &ds));
	remove_segment(id);
	ckpt_point();
	ds = stat_of(id);
	CHECK_EQ(12, ds.shm_perm.uid);
	CHECK_EQ(34, ds.shm_perm.gid);
	CHECK_EQ(0, ds.shm_perm.cuid);
	CHECK_EQ(0, ds.shm_perm.cgid);
	CHECK_EQ(0451 | SHM_DEST, ds.shm_perm.mode);
}

ROUNDTRIP(locked)
{
	char *mem;
	int id;

	id = new_segment(IPC_PRIVATE, SIZE, 0600);
	mem = attach(id, NULL, 0);
	ckpt_fill(mem, SIZE, 4);
	if (shmctl(id, SHM_LOCK, NULL))
		ckpt_skip("SHM_LOCK: %s", strerror(errno));
	remove_segment(id);
	ckpt_point();
	CHECK_FILL(mem, SIZE, 4);
	CHECK_EQ(SHM_LOCKED | SHM_DEST, stat_of(id).shm_perm.mode & ~0777);
	CHECK_EQ(0, shmctl(id, SHM_UNLOCK, NULL));
	CHECK_EQ(SHM_DEST, stat_of(id).shm_perm.mode & ~0777);
}

ROUNDTRIP(many)
{
	char *mem[40];
	int id[40], i;

	for (i = 0; i < 40; i++) {
		id[i] = new_segment(IPC_PRIVATE, PAGE, 0600);
		mem[i] = attach(id[i], NULL, 0);
		mem[i][i] = i;
		if (i % 2)
			remove_segment(id[i]);
	}
	ckpt_point();
	for (i = 0; i < 40; i++) {
		CHECK_EQ(i, mem[i][i]);
		CHECK_EQ(1, stat_of(id[i]).shm_nattch);
		if (!(i % 2))
			remove_segment(id[i]);
	}
}

/* --- at a restart ------------------------------------------------------------ */

SCENARIO(has_segment)
{
	int id = new_segment(own_key(), SIZE, 0600);
	char *mem = attach(id, NULL, 0);

	ckpt_fill(mem, SIZE, 5);
	ckpt_point();
	CHECK_FILL(mem, SIZE, 5);
	CHECK_EQ(1, stat_of(id).shm_nattch);
	remove_segment(id);
}

SCENARIO(has_removed)
{
	int id = new_segment(IPC_PRIVATE, SIZE, 0600);
	char *mem = attach(id, NULL, 0);

	ckpt_fill(mem, SIZE, 6);
	remove_segment(id);
	ckpt_point();
	CHECK_FILL(mem, SIZE, 6);
}

/* A restart that fails at its very end. */
static long restart_cut_off(struct ckpt_test *t)
{
	size_t len;
	char *image = ckpt_read_file(t->image, &len);
	long ret = -1;

	if (image && len > 2 * PAGE)
		ret = ckpt_restart_raw(t, image, len - 8);
	free(image);
	return ret;
}

TEST_F(checkpoint, left_behind)
{
	struct shmid_ds ds;
	char *mem;
	pid_t pid;
	int id;

	NOT_DRY();
	START(pid, has_segment, NULL);
	id = ckpt_peek_value(pid, 2);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(0, shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(0, ds.shm_nattch);
	/* Others have used it since. */
	mem = shmat(id, NULL, 0);
	ASSERT_NE((char *)-1, mem);
	memset(mem, 'n', SIZE);
	EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "sysv_shm", -1, 0,
				"somebody has it attached"))
		ckpt_show_log(&self->t);
	ASSERT_EQ(0, shmdt(mem));
	/* A failure changes nothing. */
	EXPECT_GT(0, restart_cut_off(&self->t));
	mem = shmat(id, NULL, SHM_RDONLY);
	ASSERT_NE((char *)-1, mem);
	EXPECT_EQ('n', mem[0]);
	EXPECT_EQ('n', mem[SIZE - 1]);
	EXPECT_EQ(0, shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(1, ds.shm_nattch);
	ASSERT_EQ(0, shmdt(mem));
	/* With other rights it is another one. */
	ds.shm_perm.mode = 0644;
	EXPECT_EQ(0, shmctl(id, IPC_SET, &ds));
	EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "sysv_shm", -1, 0,
				"it is another one"))
		ckpt_show_log(&self->t);
	ds.shm_perm.mode = 0600;
	EXPECT_EQ(0, shmctl(id, IPC_SET, &ds));
	pid = ckpt_restart(&self->t, self->t.image, 0);
	EXPECT_LT(0, pid);
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(-1, shmctl(id, IPC_STAT, &ds));
}

TEST_F(checkpoint, made_anew)
{
	struct shmid_ds ds;
	int id, other;
	key_t key;
	pid_t pid;

	NOT_DRY();
	START(pid, has_segment, NULL);
	id = ckpt_peek_value(pid, 2);
	key = ckpt_peek_value(pid, 3);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	ASSERT_EQ(0, shmctl(id, IPC_RMID, NULL));
	EXPECT_GT(0, restart_cut_off(&self->t));
	EXPECT_EQ(-1, shmctl(id, IPC_STAT, &ds));
	/* Somebody else takes the key. */
	other = shmget(key, 1, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, other);
	EXPECT_NE(id, other);
	EXPECT_EQ(-EEXIST, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EEXIST, "sysv_shm", -1, 0, "key"))
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, shmctl(other, IPC_RMID, NULL));
	pid = ckpt_restart(&self->t, self->t.image, 0);
	EXPECT_LT(0, pid);
	/* The wish for the id is used up. */
	other = shmget(IPC_PRIVATE, 1, 0600);
	EXPECT_LE(0, other);
	EXPECT_EQ(0, shmctl(other, IPC_RMID, NULL));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(-1, shmctl(id, IPC_STAT, &ds));
}

/* What was to go with its last user goes with a failed restart, too. */
TEST_F(checkpoint, nothing_left)
{
	struct shmid_ds ds;
	pid_t pid;
	int id;

	NOT_DRY();
	START(pid, has_removed, NULL);
	id = ckpt_peek_value(pid, 2);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	/* It is there still, and has another user. */
	EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image,
				       RESTART_FRESH_PIDS));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	EXPECT_EQ(-1, shmctl(id, IPC_STAT, &ds));
	EXPECT_GT(0, restart_cut_off(&self->t));
	EXPECT_EQ(-1, shmctl(id, IPC_STAT, &ds));
	pid = ckpt_restart(&self->t, self->t.image, RESTART_STOPPED);
	EXPECT_LT(0, pid);
	EXPECT_EQ(0, shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(0, ckpt_kill(&self->t, pid));
	EXPECT_EQ(-1, shmctl(id, IPC_STAT, &ds));
}

/* An id is chosen by the privileged; what is left behind by its owner. */
static int by_user(struct ckpt_test *t)
{
	struct shmid_ds ds;
	size_t len;
	char *image = ckpt_save_scenario(t, "has_segment", &len);
	struct ckpt_rec_hdr *hdr;
	struct ckpt_sysv_shm *p;
	int ret = 0;

	hdr = image ? ckpt_find_record(image, len, CKPT_REC_SYSV_SHM, 0) : NULL;
	if (!hdr)
		return 1;
	p = (void *)(hdr + 1);
	if (ckpt_restart_raw(t, image, len) <= 0)
		ret = 2;
	/* A restarted and killed one leaves it behind as well. */
	if (shmctl(p->id, IPC_STAT, &ds) || ds.shm_nattch)
		ret = 3;
	if (shmctl(p->id, IPC_RMID, NULL))
		ret = 4;
	if (ckpt_restart_raw(t, image, len) != -EPERM ||
	    !ckpt_reason(t, EPERM, "sysv_shm", -1, 0, "CAP_CHECKPOINT_RESTORE"))
		ret = 5;
	free(image);
	return ret;
}

TEST_F(checkpoint, rights)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	EXPECT_EQ(0, ckpt_as_user(&self->t, 1000, by_user))
		ckpt_show_log(&self->t);
}

/* One of somebody else is not replaced, whatever the image says. */
static int somebodys;

static int not_mine(struct ckpt_test *t)
{
	size_t len;
	char *image = ckpt_save_scenario(t, "has_segment", &len);
	struct ckpt_rec_hdr *hdr;
	struct ckpt_sysv_shm *p;
	long ret;
	int id;

	hdr = image ? ckpt_find_record(image, len, CKPT_REC_SYSV_SHM, 0) : NULL;
	if (!hdr)
		return 1;
	p = (void *)(hdr + 1);
	id = p->id;
	p->id = somebodys;
	ckpt_mend_record(hdr);
	ret = ckpt_restart_raw(t, image, len);
	shmctl(id, IPC_RMID, NULL);
	free(image);
	return ret != -EPERM ||
	       !ckpt_reason(t, EPERM, "sysv_shm", -1, 0, "cannot be replaced");
}

TEST_F(checkpoint, somebody_elses)
{
	int id;

	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	id = shmget(IPC_PRIVATE, SIZE, 0666);
	ASSERT_LE(0, id);
	somebodys = id;
	EXPECT_EQ(0, ckpt_as_user(&self->t, 1000, not_mine))
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, shmctl(id, IPC_RMID, NULL));
}

/* A restart that has all it needs but the end of the image, and does not get it. */
static int fail_at_the_end(pid_t restarter, int in)
{
	int status;

	close(in);
	if (waitpid(restarter, &status, 0) != restarter)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 0 : -1;
}

/* The restart has made it, and has it in its process's memory. */
static bool is_in_use(int id)
{
	struct shmid_ds ds;
	int ms;

	for (ms = 0; ms < 20000; ms++) {
		if (!shmctl(id, IPC_STAT, &ds) && ds.shm_nattch == 2)
			return true;
		usleep(1000);
	}
	return false;
}

/* What others do to a segment that was there stays done when a restart fails. */
static int meanwhile(struct ckpt_test *t)
{
	struct rlimit limit = { ROUNDED, ROUNDED };
	struct shmid_ds before, ds;
	pid_t pid, restarter;
	char *mem;
	int id, in;

	/* We look at our restarter; the target's limits have to be allowed to us. */
	if (prctl(PR_SET_DUMPABLE, 1) || setrlimit(RLIMIT_MEMLOCK, &limit))
		return 1;
	pid = ckpt_start(t, "has_segment", NULL);
	if (pid <= 0)
		return 5;
	id = ckpt_peek_value(pid, 2);
	if (ckpt_checkpoint(t, pid, t->image, 0) <= 0 || ckpt_kill(t, pid))
		return 2;
	mem = shmat(id, NULL, 0);
	if (mem == (char *)-1)
		return 3;
	memset(mem, 'n', SIZE);
	shmdt(mem);
	if (shmctl(id, IPC_STAT, &before) || before.shm_lpid != getpid())
		return 4;

	/* Locked: it is still that, and nothing of it is left in the end. */
	restarter = ckpt_stalled_restart(t, &in, 8, NULL);
	if (restarter <= 0 || !is_in_use(id))
		return 6;
	if (shmctl(id, SHM_LOCK, NULL) || fail_at_the_end(restarter, in))
		return 7;
	if (shmctl(id, IPC_STAT, &ds) ||
	    ds.shm_perm.mode != (SHM_LOCKED | 0600) || ds.shm_nattch)
		return 8;
	if (ds.shm_lpid != getpid() || ds.shm_atime != before.shm_atime ||
	    ds.shm_dtime != before.shm_dtime)
		return 9;
	mem = shmat(id, NULL, SHM_RDONLY);
	if (mem == (char *)-1 || mem[0] != 'n' || mem[SIZE - 1] != 'n' ||
	    shmdt(mem))
		return 10;
	if (shmctl(id, SHM_UNLOCK, NULL) || shmctl(id, SHM_LOCK, NULL) ||
	    shmctl(id, SHM_UNLOCK, NULL))
		return 11;

	/* Removed: it goes, now that nobody has it. */
	restarter = ckpt_stalled_restart(t, &in, 8, NULL);
	if (restarter <= 0 || !is_in_use(id) || shmctl(id, IPC_RMID, NULL) ||
	    shmctl(id, IPC_STAT, &ds) || !(ds.shm_perm.mode & SHM_DEST))
		return 12;
	if (fail_at_the_end(restarter, in))
		return 13;
	return !shmctl(id, IPC_STAT, &ds) || ckpt_has_children() ? 14 : 0;
}

TEST_F(checkpoint, changed_meanwhile)
{
	NOT_DRY();
	if (getuid())
		SKIP(return, "needs root");
	EXPECT_EQ(0, ckpt_as_user(&self->t, 1000, meanwhile))
		ckpt_show_log(&self->t);
}

/* Attach it again and again, until it is killed. */
static pid_t start_attacher(int id)
{
	pid_t pid = fork();
	char *mem;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		mem = shmat(id, NULL, 0);
		if (mem == (char *)-1)
			continue;
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
		shmdt(mem);
	}
}

static pid_t start_lister(void)
{
	pid_t pid = fork();
	struct shmid_ds ds;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		shmctl(0, SHM_INFO, &ds);
}

/* Whoever has it before it has its contents is seen. */
TEST_F(checkpoint, attached_while_made)
{
	int id, fd, i, refused = 0, nr = 20 + 280 * ckpt_scale();
	struct shmid_ds ds;
	pid_t pid, other[2];
	long ret;

	NOT_DRY();
	START(pid, has_removed, NULL);
	id = ckpt_peek_value(pid, 2);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	fd = open(self->t.image, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	other[0] = start_attacher(id);
	ASSERT_LT(0, other[0]);
	other[1] = start_lister();
	ASSERT_LT(0, other[1]);
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
		ret = ckpt_restart_fd(&self->t, fd, RESTART_STOPPED);
		if (ret > 0) {
			EXPECT_EQ(0, ckpt_kill(&self->t, ret));
			continue;
		}
		/* Attached, or let go of in the same moment. */
		EXPECT_TRUE(ret == -EBUSY || ret == -EINVAL || ret == -EIDRM)
			ckpt_show_log(&self->t);
		refused += ckpt_reason(&self->t, EBUSY, "sysv_shm", -1, 0,
				       "as it was made");
	}
	TH_LOG("%d restarts, %d refused", i, refused);
	for (i = 0; i < 2; i++) {
		kill(other[i], SIGKILL);
		waitpid(other[i], NULL, 0);
	}
	close(fd);
	/* The attacher can have been killed before its child was gone. */
	for (i = 0; i < 10000 && !shmctl(id, IPC_STAT, &ds); i++)
		usleep(1000);
	EXPECT_EQ(-1, shmctl(id, IPC_STAT, &ds));
}

/* --- semaphores ---------------------------------------------------------------- */

static int change(int id, int num, int by, int flags)
{
	struct sembuf op = { .sem_num = num, .sem_op = by, .sem_flg = flags };

	return semop(id, &op, 1);
}

static int value(int id, int num)
{
	return semctl(id, num, GETVAL);
}

/* The tester has made them: 1, 0, 5. */
SCENARIO(holds)
{
	int id = atoi(ckpt_arg);

	NEED(!change(id, 0, -1, SEM_UNDO));
	NEED(!change(id, 1, 3, SEM_UNDO));
	NEED(!change(id, 2, -2, SEM_UNDO) && !change(id, 2, 2, SEM_UNDO));
	ckpt_point();
	CHECK_EQ(0, value(id, 0));
	CHECK_EQ(3, value(id, 1));
	CHECK_EQ(5, value(id, 2));
	CHECK_EQ(0, change(id, 0, 1, SEM_UNDO));
	CHECK_EQ(1, value(id, 0));
	CHECK_EQ(0, change(id, 0, -1, SEM_UNDO));
}

static int new_semaphores(char *arg, size_t size)
{
	unsigned short values[] = { 1, 0, 5 };
	int id = semget(IPC_PRIVATE, 3, 0666);

	if (id >= 0 && semctl(id, 0, SETALL, values))
		return -1;
	snprintf(arg, size, "%d", id);
	return id;
}

TEST_F(checkpoint, undo)
{
	char arg[16];
	pid_t pid;
	int id;

	NOT_DRY();
	id = new_semaphores(arg, sizeof(arg));
	ASSERT_LE(0, id);
	START(pid, holds, arg);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	/* It holds them itself. */
	EXPECT_EQ(-EBUSY, ckpt_restart(&self->t, self->t.image,
				       RESTART_FRESH_PIDS));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "sysvsem", -1, 0,
				"somebody else has got semaphore 0"))
		ckpt_show_log(&self->t);
	EXPECT_EQ(0, value(id, 0));
	EXPECT_EQ(3, value(id, 1));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	EXPECT_EQ(1, value(id, 0));
	EXPECT_EQ(0, value(id, 1));
	/* A failure changes nothing, whether it comes here or later. */
	EXPECT_EQ(0, semctl(id, 1, SETVAL, 32767));
	EXPECT_EQ(-ERANGE, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_EQ(1, value(id, 0));
	EXPECT_EQ(0, semctl(id, 1, SETVAL, 0));
	EXPECT_EQ(5, value(id, 2));
	pid = ckpt_restart(&self->t, self->t.image, 0);
	EXPECT_LT(0, pid);
	EXPECT_EQ(0, value(id, 0));
	EXPECT_EQ(3, value(id, 1));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
	EXPECT_EQ(1, value(id, 0));
	EXPECT_EQ(0, value(id, 1));
	EXPECT_EQ(5, value(id, 2));
	EXPECT_EQ(0, semctl(id, 0, IPC_RMID));
}

TEST_F(checkpoint, undo_without_semaphores)
{
	struct ckpt_rec_hdr *hdr;
	struct ckpt_sem_undo *p;
	char arg[16], *image;
	size_t len;
	pid_t pid;
	int id;

	NOT_DRY();
	id = new_semaphores(arg, sizeof(arg));
	ASSERT_LE(0, id);
	START(pid, holds, arg);
	ASSERT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	ASSERT_EQ(0, ckpt_kill(&self->t, pid));
	image = ckpt_read_file(self->t.image, &len);
	ASSERT_NE(NULL, image);
	hdr = ckpt_find_record(image, len, CKPT_REC_SEM_UNDO, 0);
	ASSERT_NE(NULL, hdr);
	p = (void *)(hdr + 1);
	EXPECT_EQ(id, p->semid);
	EXPECT_EQ(3, p->nr_sems);
	EXPECT_EQ(2 * sizeof(p->adj[0]), hdr->len - sizeof(*p));
	p->nr_sems = 4;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-ESTALE, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, ESTALE, "sysvsem", -1, 0, "others"))
		ckpt_show_log(&self->t);
	p->nr_sems = 3;
	p->key++;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-ESTALE, ckpt_restart_raw(&self->t, image, len));
	EXPECT_EQ(0, semctl(id, 0, IPC_RMID));
	EXPECT_EQ(-ENOENT, ckpt_restart(&self->t, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, ENOENT, "sysvsem", -1, 0, "gone"))
		ckpt_show_log(&self->t);
	free(image);
}

/* --- refused ----------------------------------------------------------------- */

TEST_F(checkpoint, attached_outside)
{
	char *mem, *again;
	pid_t pid;

	NOT_DRY();
	START(pid, has_segment, NULL);
	mem = shmat(ckpt_peek_value(pid, 2), NULL, SHM_RDONLY);
	ASSERT_NE((char *)-1, mem);
	EXPECT_EQ(-EBUSY, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_TRUE(ckpt_reason(&self->t, EBUSY, "sysv_shm", -1, 0,
				"attached by a process outside"))
		ckpt_show_log(&self->t);
	again = shmat(ckpt_peek_value(pid, 2), NULL, 0);
	EXPECT_EQ(0, shmdt(again));
	EXPECT_EQ(0, shmdt(mem));
	EXPECT_LT(0, ckpt_checkpoint(&self->t, pid, self->t.image, 0));
	EXPECT_EQ(0, ckpt_finish(&self->t, pid));
}

REFUSED(huge_segment, EOPNOTSUPP, "vma_sysv", "huge pages")
{
	int id = shmget(IPC_PRIVATE, 2 << 20, IPC_CREAT | SHM_HUGETLB | 0600);

	if (id < 0)
		ckpt_skip("no huge pages: %s", strerror(errno));
	ckpt_value[1] = (long)attach(id, NULL, 0);
	remove_segment(id);
	ckpt_point();
}

/* It can be undone, but not be done again in one operation. */
REFUSED(raised_too_much, EOPNOTSUPP, "sysvsem", "raised by 32768")
{
	int id = semget(IPC_PRIVATE, 1, 0600);

	NEED(id >= 0);
	NEED(!change(id, 0, 32767, SEM_UNDO) && !change(id, 0, -1, 0) &&
	     !change(id, 0, 1, SEM_UNDO));
	ckpt_point();
	CHECK_EQ(32767, value(id, 0));
	CHECK_EQ(0, semctl(id, 0, IPC_RMID));
}

/* Nothing is in the list yet, but what will be is undone once. */
REFUSED(shared_undo, EOPNOTSUPP, "sysvsem", "CLONE_SYSVSEM")
{
	pid_t pid = syscall(SYS_clone, CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0);
	int status;

	NEED(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	ckpt_point();
	CHECK_EQ(0, kill(pid, SIGKILL));
	CHECK_EQ(pid, waitpid(pid, &status, 0));
}

/* --- bad images --------------------------------------------------------------- */

/* An attached file is not for a descriptor. */
TEST_F(checkpoint, attached_as_descriptor)
{
	struct ckpt_rec_hdr *hdr, *file;
	struct ckpt_files *files;
	size_t len;
	char *image;

	NOT_DRY();
	image = ckpt_save_scenario(&self->t, "has_removed", &len);
	ASSERT_NE(NULL, image);
	file = ckpt_find_record(image, len, CKPT_REC_FILE_SYSV, 0);
	hdr = ckpt_find_record(image, len, CKPT_REC_FILES, 0);
	ASSERT_NE(NULL, file);
	ASSERT_NE(NULL, hdr);
	files = (void *)(hdr + 1);
	ASSERT_LT(0, files->nr_fds);
	files->fds[0].file = file->objref;
	ckpt_mend_record(hdr);
	EXPECT_EQ(-EINVAL, ckpt_restart_raw(&self->t, image, len));
	EXPECT_TRUE(ckpt_reason(&self->t, EINVAL, "files", -1, 0, "not of an open file"))
		ckpt_show_log(&self->t);
	free(image);
}

TEST_F(checkpoint, altered)
{
	static const uint32_t types[] = {
		CKPT_REC_SYSV_SHM, CKPT_REC_FILE_SYSV, CKPT_REC_SHMEM,
	};
	int alive, tries = 0;

	NOT_DRY();
	alive = ckpt_alter_scenario(&self->t, "has_removed", types,
				    ARRAY_SIZE(types), &tries);
	TH_LOG("%d tries, %d processes", tries, alive);
	EXPECT_LT(100, tries);
	EXPECT_LT(ckpt_sampled(5), alive);
}

TEST_HARNESS_MAIN
