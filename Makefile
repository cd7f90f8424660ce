# SPDX-License-Identifier: GPL-2.0
#
# gns: helper daemon, tools, kernel module, tests. Everything is built in
# build/; userspace folders share tools/build.mk.
#
#	make			helperd, tools, the module for installed headers
#	make kmod KVER=...	the module for one kernel (or KDIR=<its build tree>)
#	make demo		see it work, in a virtual machine
#	make check		the tests; check-full adds two more kernels
#	make check STEPS="..."	only these steps, see selftests/steps
#	make vm T="..." K=...	only these VM tests, on stock, debug, 6.1 or fast
#	make torture N=300 [SEED=...] [K=debug] [BESIDE=1]
#				faults in guests, by hand; BESIDE: the origin is
#				in a machine of its own
#	make programs K=...	real programs and random operations, for longer
#	make lint bench install clean
#
# demo and check install the Debian packages they lack (tools/deps).

MAKEFLAGS += --no-print-directory

version := $(shell sed -n 's/^GNS_VERSION := //p' tools/build.mk)
PREFIX ?= /usr/local
SRCDIR ?= /usr/src/gns-$(version)

# The kernels whose headers are installed, from 6.1 on.
kernels := $(patsubst /lib/modules/%/build/Makefile,%,$(wildcard \
	/lib/modules/*/build/Makefile))
kernels := $(filter-out 2.% 3.% 4.% 5.%,$(kernels))
named := $(if $(KDIR),KDIR=$(KDIR)) $(if $(KVER),KVER=$(KVER))

all: helperd tools kmod

helperd tools:
	$(MAKE) -C $@

kmod:
ifneq ($(strip $(named)),)
	$(MAKE) -C kmod $(named)
else
ifeq ($(kernels),)
	@echo 'kmod: no kernel headers installed, no module built'
endif
	@for v in $(kernels); do $(MAKE) -C kmod KVER=$$v || exit 1; done
endif

demo:
	@tools/deps build vm demo
	selftests/demo/run

check check-full: export WERROR := 1
check:
	@tools/deps build vm check lint
	@selftests/check $(STEPS)

check-full:
	@tools/deps build vm check programs lint
	@selftests/check --full $(STEPS)

lint:
	@tools/deps build lint
	@tools/lint/run

vm:
	@tools/deps build vm check
	selftests/vm/suite --kernel $(or $(K),stock) $(T)

torture:
	@tools/deps build vm check
	@selftests/history/torture $(or $(N),300) $(SEED)

programs:
	@tools/deps build vm check programs
	selftests/vm/suite --kernel $(or $(K),stock) programs programs/long

bench:
	@tools/deps build vm check bench
	selftests/bench/run

# The module's sources go where dkms looks for them.
install: helperd tools
	$(MAKE) -C helperd install
	$(MAKE) -C tools install
	@printf '  %-7s %s\n' INSTALL $(SRCDIR)
	@find Kbuild kmod uapi -name '*.[ch]' ! -name '*.mod.c' -o -name Kbuild \
		-o -name Makefile | while read -r f; do \
		install -D -m 644 "$$f" "$(DESTDIR)$(SRCDIR)/$$f" || exit 1; done
	@sed 's/@VERSION@/$(version)/' kmod/dkms.conf \
		>$(DESTDIR)$(SRCDIR)/dkms.conf

clean:
	rm -rf build
	@if [ -f kmod/Makefile ]; then $(MAKE) -C kmod clean; fi

.PHONY: all helperd tools kmod demo check check-full lint vm torture \
	programs bench install clean
