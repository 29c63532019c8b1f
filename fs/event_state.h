/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of eventfd, timerfd, signalfd, epoll and inotify files, as plain
 * data, for a checkpoint and a restart.
 *
 * Their structs are private to their files, and rightly so. What is declared
 * here stands in files NAME_state.h, each of which is included at the end of
 * the file that owns the struct. They know nothing of images.
 *
 * The functions that create a file are the system call without its system
 * call: they return a descriptor in the table of current.
 */
#ifndef _FS_EVENT_STATE_H
#define _FS_EVENT_STATE_H

#include <linux/ktime.h>
#include <linux/signal_types.h>
#include <linux/types.h>

struct file;
struct inode;

/**
 * struct eventfd_state - an eventfd
 * @count: the counter
 * @flags: EFD_SEMAPHORE or 0
 * @users: 1 for the file, and those within the kernel (AIO, KVM)
 */
struct eventfd_state {
	u64 count;
	unsigned int flags;
	unsigned int users;
};

bool eventfd_get_state(struct file *file, struct eventfd_state *state);
int eventfd_create(const struct eventfd_state *state);

bool signalfd_get_mask(struct file *file, sigset_t *mask);
int signalfd_create(const sigset_t *mask);

/**
 * struct timerfd_state - a timerfd
 * @clockid: as given to timerfd_create()
 * @settime_flags: as fdinfo shows them
 * @ticks: expirations that were not read yet
 * @interval: of a periodic timer
 * @expires: on the timer's clock; in the past when @expired
 * @now: the time of this clock when the state was read
 * @active: waits for @expires
 * @expired: has not been started again, which read() and gettime() do
 * @absolute: @expires is a time of CLOCK_REALTIME
 * @might_cancel: is cancelled when the clock is set
 * @canceled: and was, read() has not told it yet
 */
struct timerfd_state {
	int clockid;
	unsigned int settime_flags;
	u64 ticks;
	ktime_t interval;
	ktime_t expires;
	ktime_t now;
	bool active;
	bool expired;
	bool absolute;
	bool might_cancel;
	bool canceled;
};

bool timerfd_get_state(struct file *file, struct timerfd_state *state);
int timerfd_create(const struct timerfd_state *state);
void timerfd_start(struct file *file, bool active, bool absolute, s64 time);

/**
 * struct eventpoll_item - what an epoll file watches
 * @file: the watched file
 * @fd: its descriptor when it was added
 * @events: as given to epoll_ctl(), with EPOLLERR and EPOLLHUP; only flags
 *	when EPOLLONESHOT has disabled it
 * @data: as given to epoll_ctl()
 * @ready: is on the list of those that may have an event
 * @wait: the first wait queue that it is in, NULL for none
 */
struct eventpoll_item {
	struct file *file;
	int fd;
	u32 events;
	u64 data;
	bool ready;
	const struct wait_queue_head *wait;
};

enum eventpoll_ready {
	EVENTPOLL_LEAVE,
	EVENTPOLL_READY,
	EVENTPOLL_NOT_READY,
};

struct epoll_params;

bool eventpoll_is_file(const struct file *file);
unsigned int eventpoll_count_items(struct file *file);
unsigned int eventpoll_get_items(struct file *file,
				 struct eventpoll_item *items,
				 unsigned int max);
void eventpoll_get_params(struct file *file, struct epoll_params *params);
bool eventpoll_set_params(struct file *file, const struct epoll_params *params);
bool eventpoll_find_watcher(struct file *file,
			    bool (*match)(const struct file *epoll, void *data),
			    void *data);
int eventpoll_create(void);
void eventpoll_set_item(struct file *file, struct file *target, int fd,
			u32 events, enum eventpoll_ready ready);

/**
 * struct inotify_watch - what an inotify file watches
 * @inode: held by the caller, and its file system
 * @wd: its number
 * @mask: IN_*, with IN_ONESHOT and IN_EXCL_UNLINK
 */
struct inotify_watch {
	struct inode *inode;
	int wd;
	u32 mask;
};

struct inotify_event;

bool inotify_is_file(const struct file *file);
unsigned int inotify_get_cursor(struct file *file);
unsigned int inotify_count_watches(struct file *file);
unsigned int inotify_get_watches(struct file *file,
				 struct inotify_watch *watches,
				 unsigned int max);
size_t inotify_get_events(struct file *file, void *buf, size_t size);
int inotify_create(void);
void inotify_set_cursor(struct file *file, unsigned int cursor);
int inotify_add_deaf(struct file *file, struct inode *inode, int wd);
void inotify_set_mask(struct file *file, int wd, u32 mask);
int inotify_add_event(struct file *file, const struct inotify_event *event,
		      const char *name);

#endif /* _FS_EVENT_STATE_H */
