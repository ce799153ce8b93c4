# Builds, installs and regression-tests the extension with PGXS.
#   make [PG_CONFIG=...]      make install      make installcheck      make lint

EXTENSION = vector_ext
MODULE_big = vector_ext
DATA = $(wildcard sql/install/vector_ext--*.sql)

SOURCES = $(sort $(wildcard src/*.cpp src/*/*.cpp src/*/*/*.cpp))
OBJS = $(SOURCES:.cpp=.o)

REGRESS = $(shell sed -n 's/^test: //p' sql/schedule)
REGRESS_OPTS = --inputdir=. --outputdir=build/regress --load-extension=vector_ext

PG_CPPFLAGS = -Isrc -DNDEBUG
PG_CXXFLAGS = -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -fvisibility=hidden \
	-fvisibility-inlines-hidden -ffp-contract=off -Wextra -Wno-unused-parameter -Wno-register -Wno-volatile \
	-Wno-missing-field-initializers
SHLIB_LINK = -Wl,--version-script=src/exports.map -Wl,--no-undefined-version -lm

# make SANITIZE=1: undefined behaviour, or memory changed beyond an area, ends the server.
ifdef SANITIZE
PG_CPPFLAGS += -DVEXT_CANARIES
PG_CXXFLAGS += -fsanitize=undefined -fno-sanitize-recover=undefined
SHLIB_LINK += -fsanitize=undefined
endif

EXTRA_CLEAN = build/regress

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
# Before the include, which decides by it whether to make bitcode.
override with_llvm := no
include $(PGXS)

# Kernels: each file has the flags of its CPU level; dispatch.cpp sees to it that none runs elsewhere.
KERNELS = src/core/distance/kernels_
$(KERNELS)scalar.o: override CXXFLAGS += -O3
ifneq (,$(filter x86_64 amd64,$(shell uname -m)))
$(KERNELS)avx2.o: override CXXFLAGS += -O3 -mavx2 -mfma -ffp-contract=fast
$(KERNELS)avx512.o: override CXXFLAGS += -O3 -mavx2 -mfma -mavx512f -mavx512cd -mavx512bw \
	-mavx512dq -mavx512vl -mavx512vnni -mprefer-vector-width=512 -ffp-contract=fast
endif
$(KERNELS)neon.o: override CXXFLAGS += -O3 -ffp-contract=fast

# Objects depend on every header: the module is small and a stale object costs more than a build.
$(OBJS): $(wildcard src/*.h src/*/*.h src/*/*/*.h src/*/*/*.inl) Makefile
$(shlib): src/exports.map

.PHONY: lint
lint: all
	scripts/lint
