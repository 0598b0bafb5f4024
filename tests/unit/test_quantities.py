"""Kubernetes quantities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.quantities import mebibytes, millicores


@given(st.integers(0, 10**6))
def test_millicores_read_back_what_was_written(count: int):
    assert millicores(f"{count}m") == count
    assert millicores(str(count)) == count * 1000


@pytest.mark.parametrize(("text", "mib"), [("512Mi", 512), ("1.5Gi", 1536), ("1Ki", 1), ("2Ti", 2 * 1024 * 1024)])
def test_memory_is_whole_mebibytes_rounded_up(text: str, mib: int):
    assert mebibytes(text) == mib


@pytest.mark.parametrize("text", ["", "lots", "-1", "1.2345", "5M", "1e3"])
def test_what_is_no_quantity_is_refused(text: str):
    with pytest.raises(ValueError, match="is not a CPU quantity"):
        millicores(text)
    with pytest.raises(ValueError, match="is not a memory quantity"):
        mebibytes(text)
