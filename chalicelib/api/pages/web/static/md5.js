// The digest MD5 (RFC 1321), by which the platform knows that a file arrived whole. It protects nothing.

const SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
const SINES = Int32Array.from({ length: 64 }, (_, step) => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32));
const BLOCK_BYTES = 64;
const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * The digest of a file, which is read piece by piece.
 * @param {Blob} file
 * @param {AbortSignal} [signal]
 * @returns {Promise<Uint8Array>} 16 bytes
 */
export async function md5(file, signal) {
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let start = 0; start < file.size; start += PIECE_BYTES) {
    signal?.throwIfAborted();
    const piece = new Uint8Array(await file.slice(start, start + PIECE_BYTES).arrayBuffer());
    const isLast = start + PIECE_BYTES >= file.size;
    addBlocks(state, isLast ? padded(piece, file.size) : piece);
  }
  if (file.size === 0) addBlocks(state, padded(new Uint8Array(0), 0));
  return new Uint8Array(state.buffer.slice(0));
}

function padded(piece, size) {
  const length = Math.ceil((piece.length + 9) / BLOCK_BYTES) * BLOCK_BYTES;
  const result = new Uint8Array(length);
  result.set(piece);
  result[piece.length] = 0x80;
  const view = new DataView(result.buffer);
  view.setUint32(length - 8, (size * 8) >>> 0, true);
  view.setUint32(length - 4, Math.floor((size * 8) / 2 ** 32), true);
  return result;
}

function addBlocks(state, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = new Int32Array(16);
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    for (let index = 0; index < 16; index++) words[index] = view.getInt32(start + index * 4, true);
    addBlock(state, words);
  }
}

function addBlock(state, words) {
  let [a, b, c, d] = state;
  for (let step = 0; step < 64; step++) {
    const round = step >> 4;
    const [mixed, index] = mix(round, step, b, c, d);
    const sum = (a + mixed + SINES[step] + words[index]) | 0;
    const shift = SHIFTS[round][step & 3];
    [a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0];
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

/** The function of a round, and the word that a step adds. */
function mix(round, step, b, c, d) {
  if (round === 0) return [(b & c) | (~b & d), step];
  if (round === 1) return [(d & b) | (~d & c), (5 * step + 1) & 15];
  if (round === 2) return [b ^ c ^ d, (3 * step + 5) & 15];
  return [c ^ (b | ~d), (7 * step) & 15];
}
