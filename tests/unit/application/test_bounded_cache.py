"""A cache's bounds: in number and in bytes, the least recently used out first."""

import pytest

from application.bounded_cache import ITEM_BYTES, BoundedCache, size_of


def keys(cache: BoundedCache[str, str]) -> str:
    """Return the keys that are there, of `abcdef`."""
    return "".join(key for key in "abcdef" if key in cache._items)


def test_past_the_number_the_least_recently_used_goes_first() -> None:
    cache = BoundedCache[str, str](3, 1_000)
    for key in "abc":
        cache.put(key, key, 1)
    cache.get("a")
    cache.put("d", "d", 1)

    assert keys(cache) == "acd"
    assert cache.bytes == 3


def test_past_the_bytes_as_many_go_as_it_takes() -> None:
    cache = BoundedCache[str, str](10, 100)
    for key in "abcd":
        cache.put(key, key, 25)
    cache.put("e", "e", 60)

    assert keys(cache) == "de"
    assert cache.bytes == 85


def test_the_newest_stays_however_large_it_is() -> None:
    cache = BoundedCache[str, str](10, 100)
    cache.put("a", "a", 10)
    cache.put("b", "b", 1_000)
    alone = keys(cache)
    cache.put("c", "c", 10)

    assert (alone, keys(cache)) == ("b", "c")


def test_a_value_that_grows_counts_as_it_is_now() -> None:
    cache = BoundedCache[str, str](10, 100)
    for size in (10, 50, 30):
        cache.put("a", "a", size)
    assert cache.bytes == 30

    assert cache.pop("a") == "a"
    assert cache.pop("a") is None
    assert (cache.bytes, len(cache)) == (0, 0)


@pytest.mark.parametrize(("text", "width"), [("a", 1), ("ș", 2), ("🙂", 4)])
def test_a_text_counts_as_the_bytes_that_it_takes_in_memory(text: str, width: int) -> None:
    assert width * 8_000 <= size_of(text * 8_000) < width * 8_000 + ITEM_BYTES


def test_nested_values_count_with_all_that_is_in_them() -> None:
    nested = ({"type": "business_info", "facts": {"hours": "x" * 1_000}}, ["y" * 500])

    assert size_of(nested) > 1_500
    assert size_of(7) == ITEM_BYTES
