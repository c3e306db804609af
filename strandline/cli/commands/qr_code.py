"""QR codes (ISO/IEC 18004) for a terminal: bytes with error correction of level M, versions 1 to 20.

The page draws the same ones (`chalicelib/api/pages/web/static/qr.js`).
"""

from collections.abc import Callable
from itertools import groupby, pairwise

MAX_VERSION = 20
QUIET_ZONE = 4
ECC_PER_BLOCK = (0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26)
BLOCKS = (0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16)
MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda x, y: (x + y) % 2 == 0,
    lambda _, y: y % 2 == 0,
    lambda x, _: x % 3 == 0,
    lambda x, y: (x + y) % 3 == 0,
    lambda x, y: (x // 3 + y // 2) % 2 == 0,
    lambda x, y: x * y % 2 + x * y % 3 == 0,
    lambda x, y: (x * y % 2 + x * y % 3) % 2 == 0,
    lambda x, y: ((x + y) % 2 + x * y % 3) % 2 == 0,
)
BLACK_ON_WHITE, RESET = "\x1b[30;107m", "\x1b[0m"
HALF_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}

Modules = list[list[bool]]
"""Rows of modules, True for dark, without the quiet zone."""


def for_terminal(text: str) -> str:
    """The QR code of a text in half blocks, black on white whatever the colors of the terminal.

    Raises:
        ValueError: the text has more than 666 bytes.
    """
    modules = qr_code(text)
    width = len(modules) + 2 * QUIET_ZONE
    blank = [[False] * width for _ in range(QUIET_ZONE)]
    sides = [False] * QUIET_ZONE
    rows = [*blank, *(sides + row + sides for row in modules), *blank, [False] * width]
    lines = (
        "".join(HALF_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )
    return "\n".join(f"{BLACK_ON_WHITE}{line}{RESET}" for line in lines)


def qr_code(text: str) -> Modules:
    """The QR code of a text.

    Raises:
        ValueError: the text has more than 666 bytes.
    """
    content = text.encode()
    version = _version_for(len(content))
    drawing = _Drawing(version)
    drawing.draw_codewords(_interleaved(_data_codewords(content, version), version))
    return min((drawing.masked(mask) for mask in range(len(MASKS))), key=_penalty)


def _version_for(length: int) -> int:
    for version in range(1, MAX_VERSION + 1):
        if length * 8 + 4 + _count_bits(version) <= _data_count(version) * 8:
            return version
    raise ValueError("the text is too long for a QR code")


def _count_bits(version: int) -> int:
    return 8 if version < 10 else 16


def _codeword_count(version: int) -> int:
    """The bytes of a code, those for error correction included."""
    modules = (16 * version + 128) * version + 64
    if version >= 2:
        aligned = version // 7 + 2
        modules -= (25 * aligned - 10) * aligned - 55
        if version >= 7:
            modules -= 36
    return modules // 8


def _data_count(version: int) -> int:
    return _codeword_count(version) - ECC_PER_BLOCK[version] * BLOCKS[version]


def _data_codewords(content: bytes, version: int) -> bytes:
    capacity = _data_count(version) * 8
    bits = f"0100{len(content):0{_count_bits(version)}b}" + "".join(f"{byte:08b}" for byte in content)
    bits += "0" * min(4, capacity - len(bits))
    bits += "0" * (-len(bits) % 8)
    words = bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))
    padding = b"\xec\x11" * (_data_count(version) // 2 + 1)
    return words + padding[: _data_count(version) - len(words)]


def _interleaved(content: bytes, version: int) -> bytes:
    """Data in blocks with their error correction, one byte of each block at a time."""
    count, ecc_length = BLOCKS[version], ECC_PER_BLOCK[version]
    total = _codeword_count(version)
    short_count, short_length = count - total % count, total // count - ecc_length
    divisor = _generator(ecc_length)
    blocks = []
    start = 0
    for index in range(count):
        end = start + short_length + (index >= short_count)
        blocks.append(content[start:end])
        start = end
    corrections = [_remainder(block, divisor) for block in blocks]
    data = [block[place] for place in range(short_length + 1) for block in blocks if place < len(block)]
    return bytes(data + [correction[place] for place in range(ecc_length) for correction in corrections])


def _product(x: int, y: int) -> int:
    """The product of two bytes in the field of 256 elements of the standard."""
    result = 0
    for bit in range(7, -1, -1):
        result = (result << 1) ^ ((result >> 7) * 0x11D)
        result ^= ((y >> bit) & 1) * x
    return result


def _generator(degree: int) -> list[int]:
    """The generator polynomial of Reed and Solomon, without its first coefficient, which is 1."""
    result = [0] * (degree - 1) + [1]
    root = 1
    for _ in range(degree):
        for index in range(degree):
            following = result[index + 1] if index + 1 < degree else 0
            result[index] = _product(result[index], root) ^ following
        root = _product(root, 2)
    return result


def _remainder(words: bytes, divisor: list[int]) -> list[int]:
    result = [0] * len(divisor)
    for word in words:
        factor = word ^ result.pop(0)
        result.append(0)
        result = [value ^ _product(coefficient, factor) for value, coefficient in zip(result, divisor, strict=True)]
    return result


class _Drawing:
    """The modules of a code, and which of them patterns take that every code of the version has."""

    def __init__(self, version: int) -> None:
        self.version, self.size = version, version * 4 + 17
        self.modules: Modules = [[False] * self.size for _ in range(self.size)]
        self.is_taken: Modules = [[False] * self.size for _ in range(self.size)]
        for place in range(self.size):
            self._set(6, place, place % 2 == 0)
            self._set(place, 6, place % 2 == 0)
        for x, y in ((3, 3), (self.size - 4, 3), (3, self.size - 4)):
            self._finder(x, y)
        places = self._alignment_places()
        corners = {(6, 6), (6, self.size - 7), (self.size - 7, 6)}
        for x, y in ((x, y) for x in places for y in places if (x, y) not in corners):
            self._alignment(x, y)
        self._format(0)  # takes its place; the mask writes it again
        if self.version >= 7:
            self._version_information()

    def draw_codewords(self, words: bytes) -> None:
        """Write bits in pairs of columns, from right to left, upwards and downwards in turn."""
        bits = iter("".join(f"{word:08b}" for word in words))
        pairs = [*range(self.size - 1, 6, -2), 5, 3, 1]  # 6 is the column of the timing pattern
        for right in pairs:
            is_upward = ((right + 1) & 2) == 0
            for step in range(self.size):
                y = self.size - 1 - step if is_upward else step
                for x in (right, right - 1):
                    if not self.is_taken[y][x]:
                        self.modules[y][x] = next(bits, "0") == "1"

    def masked(self, mask: int) -> Modules:
        """The modules under a mask, with the format that names it."""
        self._format(mask)
        return [
            [is_dark if taken else is_dark != MASKS[mask](x, y) for x, (is_dark, taken) in enumerate(row)]
            for y, row in enumerate(map(zip, self.modules, self.is_taken))
        ]

    def _set(self, x: int, y: int, is_dark: bool) -> None:
        self.modules[y][x] = is_dark
        self.is_taken[y][x] = True

    def _finder(self, center_x: int, center_y: int) -> None:
        for dy in range(-4, 5):
            for dx in range(-4, 5):
                x, y = center_x + dx, center_y + dy
                if 0 <= x < self.size and 0 <= y < self.size:
                    self._set(x, y, max(abs(dx), abs(dy)) not in (2, 4))

    def _alignment(self, center_x: int, center_y: int) -> None:
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                self._set(center_x + dx, center_y + dy, max(abs(dx), abs(dy)) != 1)

    def _alignment_places(self) -> list[int]:
        if self.version == 1:
            return []
        count = self.version // 7 + 2
        step = (self.version * 8 + count * 3 + 5) // (count * 4 - 4) * 2
        return [6, *(self.size - 7 - step * index for index in range(count - 2, -1, -1))]

    def _format(self, mask: int) -> None:
        rest = mask  # level M is 0
        for _ in range(10):
            rest = (rest << 1) ^ ((rest >> 9) * 0x537)
        bits = ((mask << 10) | rest) ^ 0x5412
        places = [*((8, y) for y in (0, 1, 2, 3, 4, 5, 7, 8)), (7, 8), *((14 - index, 8) for index in range(9, 15))]
        others = [(self.size - 1 - index, 8) for index in range(8)]
        others += [(8, self.size - 15 + index) for index in range(8, 15)]
        for index, pair in enumerate(zip(places, others, strict=True)):
            for x, y in pair:
                self._set(x, y, (bits >> index) & 1 == 1)
        self._set(8, self.size - 8, True)

    def _version_information(self) -> None:
        rest = self.version
        for _ in range(12):
            rest = (rest << 1) ^ ((rest >> 11) * 0x1F25)
        bits = (self.version << 12) | rest
        for index in range(18):
            near, far = index // 3, self.size - 11 + index % 3
            self._set(far, near, (bits >> index) & 1 == 1)
            self._set(near, far, (bits >> index) & 1 == 1)


def _penalty(modules: Modules) -> int:
    """The penalty of a code: runs, blocks, what looks like a finder, and unequal shares of dark and light."""
    size = len(modules)
    cost = sum(map(_line_penalty, modules)) + sum(_line_penalty(list(column)) for column in zip(*modules, strict=True))
    for upper, lower in pairwise(modules):
        for x in range(size - 1):
            cost += 3 * (upper[x] == upper[x + 1] == lower[x] == lower[x + 1])
    dark = sum(map(sum, modules))
    return cost + max(0, -(-abs(dark * 20 - size * size * 10) // (size * size)) - 1) * 10


def _line_penalty(line: list[bool]) -> int:
    runs = [(is_dark, len(list(run))) for is_dark, run in groupby(line)]
    return sum(length - 2 for _, length in runs if length >= 5) + _finder_count(runs, len(line)) * 40


def _finder_count(runs: list[tuple[bool, int]], size: int) -> int:
    """Runs of 1:1:3:1:1 with a light run of four on a side; the border counts as light."""
    lengths = [length for _, length in runs]
    if runs[0][0]:
        lengths.insert(0, size)
    else:
        lengths[0] += size
    if len(lengths) % 2 == 0:
        lengths.append(size)
    else:
        lengths[-1] += size
    count = 0
    for first in range(0, len(lengths) - 6, 2):
        before, unit, *others, after = lengths[first : first + 7]
        if others == [unit, unit * 3, unit, unit]:
            count += (before >= unit * 4 and after >= unit) + (after >= unit * 4 and before >= unit)
    return count
