# SPDX-License-Identifier: GPL-2.0
#
# The userspace build, shared by helperd, tools and selftests. A folder's
# Makefile says what it makes and includes this file last:
#
#	progs           := gns-helperd
#	gns-helperd-srcs := main.c lib/loop.c ../uapi/media.c
#	sbin            := gns-helperd
#	include ../tools/build.mk
#
# What a folder may set, all optional, before the include:
#
#	progs            programs to build
#	tests            test programs: built like progs; `make check` runs them
#			 in this order, each prints TAP with its own plan
#	<prog>-srcs      its sources, relative to the folder; sources of other
#			 folders by ../path. Default: <prog>.c
#	<prog>-libs      further libraries, e.g. -lcmocka
#	<prog>-ldflags   further link flags, e.g. -fsanitize=fuzzer
#	pkgs             pkg-config packages in place of the default list; what
#			 a program does not use is not linked (--as-needed)
#	local-cflags     flags for the sources in this folder only; with = and
#			 not := if they name $(top)
#	SAN              := 1 to be built with ASan and UBSan always
#	variant          build in build/<variant>/, a tree of its own
#	extra-cflags     flags for every source; needs a variant
#	bin sbin mount   which progs `make install` puts into bin, sbin, and
#			 where mount(8) looks for its helpers
#	man units        man pages and systemd units to install; @SBINDIR@ and
#			 @BINDIR@ in a unit are replaced
#
# What it gives: the targets all, check (with tests), install and clean; flags,
# from which lint learns how a source is compiled; and
#
#	$(top)           the top of the repository, absolute
#	$(here)          this folder, relative to the top
#	$(O)             where this build goes, absolute; the object of
#			 helperd/proto/codec.c is $(O)/helperd/proto/codec.o and
#			 the program foo of this folder is $(O)/$(here)/foo
#
# $(O) is build/obj; with SAN=1 (ASan, UBSan) build/san; with CC=clang-14
# build/obj-clang, build/san-clang; with a variant build/<variant>,
# build/<variant>-san and so on. Folders share objects: two makes at the same
# time may compile the same file twice, but each puts it in place whole.
#
# From the command line: CC, CFLAGS (default -O2 -g), LDFLAGS, SAN=1, WERROR=1,
# V=1 to see commands, DESTDIR and PREFIX.

GNS_VERSION := 0.1.0

.DEFAULT_GOAL := all
MAKEFLAGS += --no-print-directory

top := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
here := $(patsubst $(top)/%,%,$(CURDIR))

ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O2 -g
pkgs ?= libuv sqlite3 inih jansson libxxhash libcrypto libsystemd libnl-3.0 \
	libnl-genl-3.0 libisal blkid

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
# mount(8) looks nowhere else, whatever PREFIX is.
MOUNTDIR ?= /usr/sbin

ifdef extra-cflags
ifndef variant
$(error $(here): extra-cflags change shared objects: set a variant too)
endif
endif

clang := $(findstring clang,$(notdir $(firstword $(CC))))
O := $(top)/build/$(if $(variant),$(variant)$(if $(SAN),-san),$(if \
	$(SAN),san,obj))$(if $(clang),-clang)

cpp := -D_GNU_SOURCE -DGNS_VERSION='"$(GNS_VERSION)"' \
	-I$(top)/helperd -I$(top)/uapi -I$(top)
# Callbacks have parameters that not every one of them needs.
cc := -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wmissing-prototypes \
	-Wstrict-prototypes $(if $(WERROR),-Werror) -ffile-prefix-map=$(top)/=
san := $(if $(SAN),-fsanitize=address -fsanitize=undefined \
	-fno-sanitize-recover=undefined -fno-omit-frame-pointer)

ifeq ($(filter clean,$(MAKECMDGOALS)),)
pkg-cflags := $(if $(strip $(pkgs)),$(shell pkg-config --cflags $(pkgs)))
pkg-libs := $(if $(strip $(pkgs)),$(shell pkg-config --libs $(pkgs)))
ifneq ($(strip $(pkgs)),)
ifeq ($(pkg-libs),)
$(error libraries are missing: on Debian `tools/deps build` installs them)
endif
endif
endif

all-cflags = $(CFLAGS) $(cc) $(cpp) $(pkg-cflags) $(san) $(extra-cflags)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

all: $(progs:%=$(O)/$(here)/%) $(tests:%=$(O)/$(here)/%)

# Objects depend on the flags they were made with.
ifeq ($(filter clean,$(MAKECMDGOALS)),)
flags-now := $(strip $(subst ','\'',$(CC) $(all-cflags)))
ifneq ($(shell test '$(flags-now)' = "`cat $(O)/.flags 2>&1`" && echo same),same)
$(shell mkdir -p $(O) && printf '%s\n' '$(flags-now)' >$(O)/.flags.$$$$ && \
	mv $(O)/.flags.$$$$ $(O)/.flags)
endif
endif

obj-of = $(patsubst $(top)/%.c,$(O)/%.o,$(abspath $(1)))

$(O)/%.o: $(top)/%.c $(O)/.flags
	$(call say,CC,$*.o)
	$(Q)mkdir -p $(@D)
	$(Q)t=$@.$$$$; $(CC) $(all-cflags) \
		$(if $(filter $(here)/%,$*),$(local-cflags)) \
		-MMD -MP -MT $@ -MF $$t.d -c -o $$t $< && \
		mv $$t.d $(@:.o=.d) && mv $$t $@ || { rm -f $$t $$t.d; exit 1; }

define prog-rule
$(1)-objs := $$(call obj-of,$$(or $$($(1)-srcs),$(1).c))
all-objs += $$($(1)-objs)
$$(O)/$$(here)/$(1): $$($(1)-objs)
	$$(call say,LD,$$(here)/$(1))
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(san) $$(LDFLAGS) $$($(1)-ldflags) \
		-Wl,--as-needed -o $$@.$$$$$$$$ $$($(1)-objs) $$($(1)-libs) \
		$$(pkg-libs) -lpthread && mv $$@.$$$$$$$$ $$@
endef
$(foreach p,$(progs) $(tests),$(eval $(call prog-rule,$(p))))

# A change to local-cflags is a change to the folder's Makefile.
$(sort $(filter $(O)/$(here)/%,$(all-objs))): $(firstword $(MAKEFILE_LIST))

-include $(sort $(all-objs:.o=.d))

ifneq ($(strip $(tests)),)
check: $(tests:%=$(O)/$(here)/%)
	@r=0; for t in $(tests); do \
		echo "# $$t"; \
		CMOCKA_MESSAGE_OUTPUT=TAP UBSAN_OPTIONS=print_stacktrace=1 \
			$(O)/$(here)/$$t || { r=$$?; echo "# $$t: exit $$r"; }; \
	done; exit $$r
endif

# For lint: "source<tab>flags" of each source in this folder.
own = $(patsubst $(O)/%.o,%.c,$(sort $(filter $(O)/$(here)/%,$(all-objs))))

flags:
	@$(foreach s,$(own),printf '%s\t%s\n' $(s) '$(subst ','\'',$(strip \
		$(cpp) $(pkg-cflags) $(extra-cflags) $(local-cflags)))' &&) :

put = $(if $(strip $(2)),install -d $(DESTDIR)$(3) && \
	install -m $(1) $(2) $(DESTDIR)$(3)/,:)

install: all
	$(call say,INSTALL,$(here))
	$(Q)$(call put,755,$(bin:%=$(O)/$(here)/%),$(BINDIR))
	$(Q)$(call put,755,$(sbin:%=$(O)/$(here)/%),$(SBINDIR))
	$(Q)$(call put,755,$(mount:%=$(O)/$(here)/%),$(MOUNTDIR))
	$(Q)$(foreach n,1 5 7 8,$(call \
		put,644,$(filter %.$(n),$(man)),$(MANDIR)/man$(n)) &&) :
	$(Q)$(if $(units),install -d $(DESTDIR)$(UNITDIR) && for u in $(units); \
		do sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@BINDIR@|$(BINDIR)|g' \
		$$u >$(DESTDIR)$(UNITDIR)/$${u##*/} || exit 1; done,:)

clean:
	$(Q)rm -rf $(wildcard $(top)/build/*/$(here))

.PHONY: all check flags install clean
.DELETE_ON_ERROR:
