/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of eventpoll.c: its state, for a checkpoint and a restart.
 *
 * Items are added by do_epoll_ctl(), with all that it checks and charges. What
 * stands here reads them, and says what of an item is not an argument of it.
 */

#ifdef CONFIG_CHECKPOINT_RESTART

#include "event_state.h"

/**
 * eventpoll_is_file() - is this an epoll file?
 * @file: any file
 *
 * Return: true for those that epoll_create() makes.
 */
bool eventpoll_is_file(const struct file *file)
{
	return file->f_op == &eventpoll_fops;
}

/**
 * eventpoll_create() - epoll_create()
 *
 * Return: a descriptor or -errno.
 */
int eventpoll_create(void)
{
	return do_epoll_create(0);
}

/**
 * eventpoll_count_items() - how many files are watched?
 * @file: an epoll file
 *
 * Return: their number, the room that eventpoll_get_items() needs.
 */
unsigned int eventpoll_count_items(struct file *file)
{
	struct eventpoll *ep = file->private_data;
	struct rb_node *rbp;
	unsigned int nr = 0;

	mutex_lock(&ep->mtx);
	for (rbp = rb_first_cached(&ep->rbr); rbp; rbp = rb_next(rbp))
		nr++;
	mutex_unlock(&ep->mtx);
	return nr;
}

/**
 * eventpoll_get_items() - which files are watched, and how?
 * @file: an epoll file
 * @items: is filled; a reference is taken on each item's file
 * @max: how many items there is room for
 *
 * Leaves out files that are just being closed.
 *
 * Return: how many items were filled.
 */
unsigned int eventpoll_get_items(struct file *file,
				 struct eventpoll_item *items, unsigned int max)
{
	struct eventpoll *ep = file->private_data;
	struct eventpoll_item *item;
	struct rb_node *rbp;
	struct epitem *epi;
	unsigned int nr = 0;

	/* Nobody scans meanwhile: all that are ready are in one list. */
	mutex_lock(&ep->mtx);
	for (rbp = rb_first_cached(&ep->rbr); rbp && nr < max;
	     rbp = rb_next(rbp)) {
		epi = rb_entry(rbp, struct epitem, rbn);
		item = &items[nr];
		/* It stays as long as we hold the mutex, see epi_fget(). */
		item->file = epi->ffd.file;
		if (!atomic_long_inc_not_zero(&item->file->f_count))
			continue;
		item->fd = epi->ffd.fd;
		item->events = (__force u32)epi->event.events;
		item->data = epi->event.data;
		item->wait = epi->pwqlist ? READ_ONCE(epi->pwqlist->whead) :
					    NULL;
		spin_lock_irq(&ep->lock);
		item->ready = ep_is_linked(epi);
		spin_unlock_irq(&ep->lock);
		nr++;
	}
	mutex_unlock(&ep->mtx);
	return nr;
}

/**
 * eventpoll_set_item() - what epoll_ctl() cannot set of an item
 * @file: an epoll file that nobody waits for yet
 * @target: the watched file
 * @fd: its descriptor when it was added
 * @events: see struct eventpoll_item
 * @ready: whether epoll_wait() looks at it
 */
void eventpoll_set_item(struct file *file, struct file *target, int fd,
			u32 events, enum eventpoll_ready ready)
{
	struct eventpoll *ep = file->private_data;
	struct epitem *epi;

	mutex_lock(&ep->mtx);
	epi = ep_find(ep, target, fd);
	if (epi) {
		spin_lock_irq(&ep->lock);
		epi->event.events = (__force __poll_t)events;
		if (ready == EVENTPOLL_READY && !ep_is_linked(epi)) {
			list_add_tail(&epi->rdllink, &ep->rdllist);
			ep_pm_stay_awake(epi);
		} else if (ready == EVENTPOLL_NOT_READY && ep_is_linked(epi)) {
			__pm_relax(ep_wakeup_source(epi));
			list_del_init(&epi->rdllink);
		}
		spin_unlock_irq(&ep->lock);
	}
	mutex_unlock(&ep->mtx);
}

/**
 * eventpoll_get_params() - as EPIOCGPARAMS
 * @file: an epoll file
 * @params: is filled
 */
void eventpoll_get_params(struct file *file, struct epoll_params *params)
{
	*params = (struct epoll_params) { };
#ifdef CONFIG_NET_RX_BUSY_POLL
	{
		struct eventpoll *ep = file->private_data;

		params->busy_poll_usecs = READ_ONCE(ep->busy_poll_usecs);
		params->busy_poll_budget = READ_ONCE(ep->busy_poll_budget);
		params->prefer_busy_poll = READ_ONCE(ep->prefer_busy_poll);
	}
#endif
}

/**
 * eventpoll_set_params() - as EPIOCSPARAMS
 * @file: an epoll file
 * @params: have been judged
 *
 * Return: false when this kernel does not know such parameters.
 */
bool eventpoll_set_params(struct file *file, const struct epoll_params *params)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	struct eventpoll *ep = file->private_data;

	WRITE_ONCE(ep->busy_poll_usecs, params->busy_poll_usecs);
	WRITE_ONCE(ep->busy_poll_budget, params->busy_poll_budget);
	WRITE_ONCE(ep->prefer_busy_poll, params->prefer_busy_poll);
	return true;
#else
	return !params->busy_poll_usecs && !params->busy_poll_budget &&
	       !params->prefer_busy_poll;
#endif
}

/**
 * eventpoll_find_watcher() - does such an epoll file watch this file?
 * @file: any file, which the caller holds
 * @match: judges an epoll file by its address, which may be gone; does not
 *	sleep
 * @data: for @match
 *
 * Return: true when @match said so of any.
 */
bool eventpoll_find_watcher(struct file *file,
			    bool (*match)(const struct file *epoll, void *data),
			    void *data)
{
	struct epitem *epi;
	bool found = false;

	if (!READ_ONCE(file->f_ep))
		return false;
	spin_lock(&file->f_lock);
	if (file->f_ep)
		hlist_for_each_entry(epi, file->f_ep, fllink) {
			found = match(epi->ep->file, data);
			if (found)
				break;
		}
	spin_unlock(&file->f_lock);
	return found;
}

#endif /* CONFIG_CHECKPOINT_RESTART */
