// QR codes (ISO/IEC 18004): bytes with error correction of level M, versions 1 to 20.

const ECC_PER_BLOCK = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const BLOCKS = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
const MAX_VERSION = 20;
const LEVEL_M = 0;
const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/**
 * The QR code of a text.
 * @param {string} text at most 666 bytes of UTF-8
 * @returns {boolean[][]} rows of modules, true for dark, without the quiet zone
 */
export function qrCode(text) {
  const bytes = new TextEncoder().encode(text);
  const version = versionFor(bytes.length);
  const drawing = emptyDrawing(version);
  drawCodewords(drawing, interleaved(dataCodewords(bytes, version), version));
  let best = null;
  for (let mask = 0; mask < MASKS.length; mask++) {
    const modules = masked(drawing, mask);
    const cost = penalty(modules);
    if (!best || cost < best.cost) best = { cost, modules };
  }
  return best.modules;
}

function versionFor(length) {
  for (let version = 1; version <= MAX_VERSION; version++) {
    if (length * 8 + 4 + countBits(version) <= dataCount(version) * 8) return version;
  }
  throw new RangeError("the text is too long for a QR code");
}

function countBits(version) {
  return version < 10 ? 8 : 16;
}

/** The bytes of a code, those for error correction included. */
function codewordCount(version) {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const aligned = Math.floor(version / 7) + 2;
    modules -= (25 * aligned - 10) * aligned - 55;
    if (version >= 7) modules -= 36;
  }
  return Math.floor(modules / 8);
}

function dataCount(version) {
  return codewordCount(version) - ECC_PER_BLOCK[version] * BLOCKS[version];
}

function dataCodewords(bytes, version) {
  const bits = [];
  const push = (value, length) => {
    for (let bit = length - 1; bit >= 0; bit--) bits.push((value >> bit) & 1);
  };
  push(4, 4); // the mode: bytes
  push(bytes.length, countBits(version));
  for (const byte of bytes) push(byte, 8);
  const capacity = dataCount(version) * 8;
  push(0, Math.min(4, capacity - bits.length));
  push(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < capacity; pad ^= 0xec ^ 0x11) push(pad, 8);
  const words = [];
  for (let start = 0; start < bits.length; start += 8) {
    words.push(bits.slice(start, start + 8).reduce((word, bit) => (word << 1) | bit, 0));
  }
  return words;
}

/** Data in blocks with their error correction, one byte of each block at a time. */
function interleaved(data, version) {
  const blockCount = BLOCKS[version];
  const eccLength = ECC_PER_BLOCK[version];
  const total = codewordCount(version);
  const shortCount = blockCount - (total % blockCount);
  const shortLength = Math.floor(total / blockCount) - eccLength;
  const divisor = generator(eccLength);
  const blocks = [];
  let start = 0;
  for (let index = 0; index < blockCount; index++) {
    const words = data.slice(start, start + shortLength + (index < shortCount ? 0 : 1));
    start += words.length;
    blocks.push({ words, ecc: remainder(words, divisor) });
  }
  const result = [];
  for (let place = 0; place <= shortLength; place++) {
    for (const { words } of blocks) if (place < words.length) result.push(words[place]);
  }
  for (let place = 0; place < eccLength; place++) {
    for (const { ecc } of blocks) result.push(ecc[place]);
  }
  return result;
}

/** The product of two bytes in the field of 256 elements of the standard. */
function product(x, y) {
  let result = 0;
  for (let bit = 7; bit >= 0; bit--) {
    result = (result << 1) ^ ((result >> 7) * 0x11d);
    result ^= ((y >> bit) & 1) * x;
  }
  return result;
}

/** The generator polynomial of Reed and Solomon, without its first coefficient, which is 1. */
function generator(degree) {
  const result = [...Array(degree - 1).fill(0), 1];
  let root = 1;
  for (let step = 0; step < degree; step++) {
    for (let index = 0; index < degree; index++) {
      result[index] = product(result[index], root) ^ (result[index + 1] || 0);
    }
    root = product(root, 2);
  }
  return result;
}

function remainder(data, divisor) {
  const result = Array(divisor.length).fill(0);
  for (const byte of data) {
    const factor = byte ^ result.shift();
    result.push(0);
    divisor.forEach((coefficient, index) => { result[index] ^= product(coefficient, factor); });
  }
  return result;
}

/** The patterns that every code of a version has, and which modules they take. */
function emptyDrawing(version) {
  const size = version * 4 + 17;
  const grid = () => Array.from({ length: size }, () => Array(size).fill(false));
  const drawing = { size, modules: grid(), isTaken: grid() };
  for (let place = 0; place < size; place++) {
    set(drawing, 6, place, place % 2 === 0);
    set(drawing, place, 6, place % 2 === 0);
  }
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) finder(drawing, x, y);
  const places = alignmentPlaces(version, size);
  const last = places.length - 1;
  places.forEach((x, column) => places.forEach((y, row) => {
    const isFinder = (column === 0 && row === 0) || (column === 0 && row === last) || (column === last && row === 0);
    if (!isFinder) alignment(drawing, x, y);
  }));
  format(drawing, 0); // takes its place; the mask writes it again
  if (version >= 7) versionInformation(drawing, version);
  return drawing;
}

function set({ modules, isTaken }, x, y, isDark) {
  modules[y][x] = isDark;
  isTaken[y][x] = true;
}

function finder(drawing, centerX, centerY) {
  for (let dy = -4; dy <= 4; dy++) {
    for (let dx = -4; dx <= 4; dx++) {
      const distance = Math.max(Math.abs(dx), Math.abs(dy));
      const [x, y] = [centerX + dx, centerY + dy];
      const isInside = x >= 0 && x < drawing.size && y >= 0 && y < drawing.size;
      if (isInside) set(drawing, x, y, distance !== 2 && distance !== 4);
    }
  }
}

function alignment(drawing, centerX, centerY) {
  for (let dy = -2; dy <= 2; dy++) {
    for (let dx = -2; dx <= 2; dx++) set(drawing, centerX + dx, centerY + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
  }
}

function alignmentPlaces(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
  const others = Array.from({ length: count - 1 }, (_, index) => size - 7 - step * index);
  return [6, ...others.reverse()];
}

function format(drawing, mask) {
  const data = (LEVEL_M << 3) | mask;
  let rest = data;
  for (let step = 0; step < 10; step++) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
  const bits = ((data << 10) | rest) ^ 0x5412;
  const bit = (index) => ((bits >> index) & 1) === 1;
  const { size } = drawing;
  for (let index = 0; index <= 5; index++) set(drawing, 8, index, bit(index));
  set(drawing, 8, 7, bit(6));
  set(drawing, 8, 8, bit(7));
  set(drawing, 7, 8, bit(8));
  for (let index = 9; index < 15; index++) set(drawing, 14 - index, 8, bit(index));
  for (let index = 0; index < 8; index++) set(drawing, size - 1 - index, 8, bit(index));
  for (let index = 8; index < 15; index++) set(drawing, 8, size - 15 + index, bit(index));
  set(drawing, 8, size - 8, true);
}

function versionInformation(drawing, version) {
  let rest = version;
  for (let step = 0; step < 12; step++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let index = 0; index < 18; index++) {
    const isDark = ((bits >> index) & 1) === 1;
    const [near, far] = [Math.floor(index / 3), drawing.size - 11 + (index % 3)];
    set(drawing, far, near, isDark);
    set(drawing, near, far, isDark);
  }
}

/** Writes bits in pairs of columns, from right to left, upwards and downwards in turn. */
function drawCodewords({ size, modules, isTaken }, words) {
  let index = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5; // the column of the timing pattern
    const isUpward = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step++) {
      const y = isUpward ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (isTaken[y][x] || index >= words.length * 8) continue;
        modules[y][x] = ((words[index >> 3] >> (7 - (index & 7))) & 1) === 1;
        index += 1;
      }
    }
  }
}

function masked(drawing, mask) {
  const copy = { ...drawing, modules: drawing.modules.map((row) => [...row]) };
  format(copy, mask);
  return copy.modules.map((row, y) => row.map((isDark, x) => (drawing.isTaken[y][x] ? isDark : isDark !== MASKS[mask](x, y))));
}

/** How hard a code is to read: runs, blocks, what looks like a finder, and unequal shares of dark and light. */
function penalty(modules) {
  const size = modules.length;
  let cost = 0;
  for (let index = 0; index < size; index++) {
    cost += linePenalty(modules[index]) + linePenalty(modules.map((row) => row[index]));
  }
  let dark = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const isDark = modules[y][x];
      dark += isDark;
      const isBlock = y + 1 < size && x + 1 < size && isDark === modules[y][x + 1] &&
        isDark === modules[y + 1][x] && isDark === modules[y + 1][x + 1];
      if (isBlock) cost += 3;
    }
  }
  return cost + Math.max(0, Math.ceil(Math.abs(dark * 20 - size * size * 10) / (size * size)) - 1) * 10;
}

function linePenalty(line) {
  const runs = [];
  for (const isDark of line) {
    if (runs.length && runs.at(-1).isDark === isDark) runs.at(-1).length += 1;
    else runs.push({ isDark, length: 1 });
  }
  const long = runs.filter(({ length }) => length >= 5).reduce((sum, { length }) => sum + length - 2, 0);
  return long + finderCount(runs, line.length) * 40;
}

/** Runs of 1:1:3:1:1 with a light run of four on a side; the border counts as light. */
function finderCount(runs, size) {
  const lengths = runs.map(({ length }) => length);
  if (runs[0].isDark) lengths.unshift(size);
  else lengths[0] += size;
  if (lengths.length % 2 === 0) lengths.push(size);
  else lengths[lengths.length - 1] += size;
  let count = 0;
  for (let first = 0; first + 6 < lengths.length; first += 2) {
    const [before, one, two, three, four, five, after] = lengths.slice(first, first + 7);
    const isFinder = two === one && three === one * 3 && four === one && five === one;
    if (isFinder) count += (before >= one * 4 && after >= one) + (after >= one * 4 && before >= one);
  }
  return count;
}
