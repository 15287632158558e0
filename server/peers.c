/*
 * Counts connections by client address, in the C library's search tree behind one lock.
 */
#include "peers.h"

#include <netinet/in.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct peer {
	unsigned char address[16];
	size_t n_open;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *tree;

static int
compare(const void *a, const void *b)
{
	const struct peer *x = a, *y = b;

	return memcmp(x->address, y->address, sizeof(x->address));
}

static struct peer
key_of(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	struct peer key = { 0 };

	if (address->sa_family == AF_INET)
		memcpy(key.address + 12, &v4->sin_addr, 4);
	else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		memcpy(key.address + 12, v6->sin6_addr.s6_addr + 12, 4);
	else if (address->sa_family == AF_INET6)
		memcpy(key.address, v6->sin6_addr.s6_addr, 8);
	return key;
}

static struct peer *
find(const struct peer *key)
{
	struct peer **node = tfind(key, &tree, compare);

	return node != NULL ? *node : NULL;
}

bool
peers_may_join(const struct sockaddr *address, size_t limit)
{
	struct peer key = key_of(address);
	struct peer *peer;
	bool may;

	pthread_mutex_lock(&mutex);
	peer = find(&key);
	may = peer == NULL || peer->n_open < limit;
	pthread_mutex_unlock(&mutex);
	return may;
}

/* The tree keeps what malloc() gave, which gcc's analyzer cannot see. */
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
static struct peer *
add(const struct peer *key)
{
	struct peer *peer = malloc(sizeof(*peer));

	if (peer == NULL)
		return NULL;
	*peer = *key;
	if (tsearch(peer, &tree, compare) != NULL)
		return peer;
	free(peer);
	return NULL;
}

void
peers_join(const struct sockaddr *address)
{
	struct peer key = key_of(address);
	struct peer *peer;

	pthread_mutex_lock(&mutex);
	peer = find(&key);
	if (peer == NULL)
		peer = add(&key);
	if (peer != NULL)
		peer->n_open++;
	pthread_mutex_unlock(&mutex);
}

#pragma GCC diagnostic pop

void
peers_leave(const struct sockaddr *address)
{
	struct peer key = key_of(address);
	struct peer *peer;

	pthread_mutex_lock(&mutex);
	peer = find(&key);
	if (peer != NULL && --peer->n_open == 0) {
		tdelete(&key, &tree, compare);
		free(peer);
	}
	pthread_mutex_unlock(&mutex);
}
