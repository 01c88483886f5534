// What the camera noted, carried from a photo into its smaller copy: drawing on a canvas loses it.
//
// A JPEG begins FF D8; segments follow, each FF xx and its length; the notes are the one that begins "Exif".

const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0];

function segmentOf(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  let at = 2;
  while (at + 4 < bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const length = (bytes[at + 2] << 8) + bytes[at + 3];
    if (bytes[at + 1] === 0xe1 && EXIF.every((byte, n) => bytes[at + 4 + n] === byte)) {
      return bytes.slice(at, at + 2 + length);
    }
    at += 2 + length;
  }
  return null;
}

/** Say in `segment` that the photo stands upright: the canvas has turned it. */
function upright(segment) {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const tiff = 10;
  const little = view.getUint16(tiff) === 0x4949;
  const first = tiff + view.getUint32(tiff + 4, little);
  const count = view.getUint16(first, little);
  for (let n = 0; n < count; n += 1) {
    const entry = first + 2 + n * 12;
    if (view.getUint16(entry, little) === 0x0112) view.setUint16(entry + 8, 1, little);
  }
  return segment;
}

/** `copy` (a JPEG) with the notes of `original`; `copy` as it is where there are none that can be read. */
export async function withNotes(copy, original) {
  const head = new Uint8Array(await original.slice(0, 256 * 1024).arrayBuffer());
  try {
    const segment = segmentOf(head);
    if (!segment) return copy;
    return new Blob([copy.slice(0, 2), upright(segment), copy.slice(2)], { type: "image/jpeg" });
  } catch (error) {
    // Notes that end before they should: the photo counts, they do not.
    if (!(error instanceof RangeError)) throw error;
    return copy;
  }
}
