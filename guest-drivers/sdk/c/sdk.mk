# What a driver's Makefile needs of the SDK: SDK is its folder, DRIVER the driver's own sources, BUILD where objects go.
#
#   $(OUT)          the component (driver.wasm)
#   $(BUILD)/test   whatever TESTS and the pure sources of driver and SDK make, for this machine, under the sanitizers
#
# A driver's sources may be C++, `.cpp`: compiled by WASM_CXX, without exceptions; with WASM_LDLIBS=-lc++ its library is linked too.
#
# Everything can be set from outside: WASM_CC and WASM_LDFLAGS for another compiler (`python3 -m ziglang cc`), CC for the tests,
# COFFERDAM for the host's binary.
WASM_CC ?= clang-19
WASM_TARGET ?= --target=wasm32-wasi
WASM_CFLAGS ?= -std=c11 -Os -g0 -Wall -Wextra
WASM_CXX ?= clang++-19
WASM_CXXFLAGS ?= -std=c++20 -Os -g0 -Wall -Wextra -fno-exceptions -fno-rtti
WASM_LDLIBS ?=
# The stack lies below everything else, so that an overflow traps and overwrites nothing.
WASM_LDFLAGS ?= -mexec-model=reactor -Wl,-z,stack-size=1048576 -Wl,--stack-first -Wl,--strip-all
COFFERDAM ?= cofferdam
BUILD ?= build
OUT ?= driver.wasm
TEST_CFLAGS ?= -std=c11 -O1 -g -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover=all

# The rules that need no host, and can be tested anywhere.
SDK_PURE := $(addprefix $(SDK)/src/,memory.c error.c text.c full.c names.c settings.c placement.c page.c grant.c url.c http_meaning.c)
SDK_SOURCES := $(wildcard $(SDK)/src/*.c) $(SDK)/gen/guest.c
SDK_HEADERS := $(wildcard $(SDK)/*.h $(SDK)/src/*.h $(SDK)/gen/*.h)

sdk_objects := $(patsubst $(SDK)/%.c,$(BUILD)/sdk/%.o,$(SDK_SOURCES))
driver_objects := $(addprefix $(BUILD)/driver/,$(addsuffix .o,$(basename $(DRIVER))))

$(OUT): $(BUILD)/driver.core.wasm
	$(COFFERDAM) driver componentize $< -o $@

$(BUILD)/driver.core.wasm: $(driver_objects) $(sdk_objects)
	$(WASM_CC) $(WASM_TARGET) $(WASM_LDFLAGS) -o $@ $^ $(WASM_LDLIBS)

$(BUILD)/driver/%.o: %.c $(SDK_HEADERS) $(DRIVER_HEADERS)
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_TARGET) $(WASM_CFLAGS) -I$(SDK) -c -o $@ $<

$(BUILD)/driver/%.o: %.cpp $(SDK_HEADERS) $(DRIVER_HEADERS)
	@mkdir -p $(@D)
	$(WASM_CXX) $(WASM_TARGET) $(WASM_CXXFLAGS) -I$(SDK) -c -o $@ $<

# Generated code is not ours to warn about.
$(BUILD)/sdk/gen/%.o: $(SDK)/gen/%.c $(SDK_HEADERS)
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_TARGET) $(WASM_CFLAGS) -w -c -o $@ $<

$(BUILD)/sdk/%.o: $(SDK)/%.c $(SDK_HEADERS)
	@mkdir -p $(@D)
	$(WASM_CC) $(WASM_TARGET) $(WASM_CFLAGS) -c -o $@ $<

$(BUILD)/test: $(TESTS) $(SDK_PURE) $(SDK_HEADERS) $(DRIVER_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(TEST_CFLAGS) -I$(SDK) -o $@ $(TESTS) $(SDK_PURE)
