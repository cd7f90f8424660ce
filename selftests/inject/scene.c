// SPDX-License-Identifier: GPL-2.0
/*
 * What calls are made on; see calls.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "client.h"
#include "lab.h"
#include "view.h"

struct scene scene = { .fd = -1, .fd2 = -1 };

void scene_begin(void)
{
	scene.now = aligned_alloc(4096, FILE_SIZE);
	scene.buf = aligned_alloc(4096, FILE_SIZE);
	if (!scene.now || !scene.buf)
		die("no memory");
}

void scene_turn(void)
{
	u32 n = scene.turn++, i;

	for (i = 0; i < 3; i++, n /= 26)
		scene.text[i] = (char)('A' + n % 26);
}

const char *scene_there(const char *name)
{
	return lab_path(view_top[PLACE_ORIGIN], name);
}

bool scene_origin(const char *name)
{
	return !lstat(scene_there(name), &scene.st);
}

void scene_must(long ret, const char *what)
{
	if (ret < 0)
		die("%s: %s", what, strerror(errno));
}

void scene_over(void)
{
	if (scene.map)
		munmap(scene.map, FILE_SIZE);
	scene.map = NULL;
	if (scene.fd >= 0)
		close(scene.fd);
	if (scene.fd2 >= 0)
		close(scene.fd2);
	scene.fd = -1;
	scene.fd2 = -1;
}

static void need_none(const char *name)
{
	if (!scene_origin(name))
		return;
	if (S_ISDIR(scene.st.st_mode))
		scene_must(rmdir(at(name)), name);
	else
		scene_must(unlink(at(name)), name);
}

static void put_file(const char *name)
{
	int fd;

	if (scene_origin(name) && !S_ISREG(scene.st.st_mode))
		need_none(name);
	fd = open(at(name), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	scene_must(fd, name);
	scene_must(pwrite(fd, scene.now, FILE_SIZE, 0), "write");
	scene_must(close(fd), "close");
}

void prep_fresh(void)
{
	int i;

	for (i = 0; i < FILE_SIZE; i++)
		scene.now[i] = (char)('a' + random() % 26);
	put_file("f");
}

void prep_file(void)
{
	if (!scene_origin("f") || scene.st.st_size != FILE_SIZE ||
	    scene.st.st_nlink != 1)
		prep_fresh();
}

void prep_none(void)
{
	need_none("h");
}

void prep_both(void)
{
	prep_none();
	prep_file();
}

void prep_two(void)
{
	prep_both();
	if (!scene_origin("g"))
		put_file("g");
}

static void open_f(int flags)
{
	prep_file();
	actor = PLACE_A;
	scene.fd = open(at("f"), flags | O_CLOEXEC);
	scene_must(scene.fd, "f");
}

void open_rw(void)
{
	open_f(O_RDWR);
	/* What is read has to be fetched. */
	posix_fadvise(scene.fd, 0, 0, POSIX_FADV_DONTNEED);
}

void open_direct(void)
{
	open_f(O_RDWR | O_DIRECT);
}
