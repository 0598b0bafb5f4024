"""Opens a CUDA context beside a model server, has the GPU do something, and goes.

A first process runs at another speed before a second one has ever been on its GPU than ever after (docs/benchmark.md),
so what is compared with sharing must be measured after a visit. The driver's library is all this needs.
"""

from __future__ import annotations

import ctypes
import sys

SIZE = 64 * 1024 * 1024


def checked(call: str, result: int) -> None:
    """Raises RuntimeError for anything but CUDA_SUCCESS."""
    if result:
        raise RuntimeError(f"{call} answered {result}")


def main() -> int:
    """Visit the first GPU there is."""
    cuda = ctypes.CDLL("libcuda.so.1")
    device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
    checked("cuInit", cuda.cuInit(0))
    checked("cuDeviceGet", cuda.cuDeviceGet(ctypes.byref(device), 0))
    checked("cuDevicePrimaryCtxRetain", cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device))
    checked("cuCtxSetCurrent", cuda.cuCtxSetCurrent(context))
    checked("cuMemAlloc", cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(SIZE)))
    checked("cuMemsetD8", cuda.cuMemsetD8_v2(memory, ctypes.c_ubyte(1), ctypes.c_size_t(SIZE)))
    checked("cuCtxSynchronize", cuda.cuCtxSynchronize())
    checked("cuMemFree", cuda.cuMemFree_v2(memory))
    checked("cuDevicePrimaryCtxRelease", cuda.cuDevicePrimaryCtxRelease(device))
    print("visited")
    return 0


if __name__ == "__main__":
    sys.exit(main())
