import { InvalidInputError } from '../../core/errors.ts';

/** Of everything that stands before the file. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_FIELDS = 40;
const BLANK_LINE = '\r\n\r\n';

/** A posted form: its fields, then the bytes of its file. */
export interface PostedForm {
  readonly fields: Readonly<Record<string, string>>;
  /** To be read once, to its end; throws when the body ends before the file does. */
  readonly file: AsyncIterable<Buffer>;
}

/**
 * Reads a multipart/form-data body whose last part is the file, named `file`, as S3 takes it. The file is never held
 * in memory.
 *
 * @throws InvalidInputError when the body has another form
 */
export async function readForm(body: AsyncIterable<Buffer>, contentType: string): Promise<PostedForm> {
  const boundary = boundaryOf(contentType);
  const source = makeSource(body);
  // The first delimiter lacks the line break that every other one begins with.
  source.unread(Buffer.from('\r\n'));
  const delimiter = `\r\n--${boundary}`;
  await source.until(delimiter);
  const fields: Record<string, string> = {};
  for (let count = 0; count <= MAX_FIELDS; count += 1) {
    const head = (await source.until(BLANK_LINE)).toString('utf8');
    if (!head.startsWith('\r\n')) throw invalid('a part named "file" at its end');
    const name = nameOf(head);
    if (name === 'file') return { fields, file: source.stream(Buffer.from(delimiter)) };
    fields[name] = (await source.until(delimiter)).toString('utf8');
  }
  throw invalid(`at most ${MAX_FIELDS} fields`);
}

function boundaryOf(contentType: string): string {
  const [, quoted, bare] =
    /^multipart\/form-data\s*;.*?boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) throw invalid('the type multipart/form-data with a boundary');
  return boundary;
}

function nameOf(head: string): string {
  const [, name] = /^content-disposition:\s*form-data;(?:.*;)?\s*name="([^"]*)"/im.exec(head) ?? [];
  if (name === undefined) throw invalid('parts with a name');
  return name;
}

function makeSource(body: AsyncIterable<Buffer>) {
  const chunks = body[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let headBytes = 0;
  const more = async (expected: string): Promise<void> => {
    const { value, done } = await chunks.next();
    if (done) throw invalid(expected);
    rest = Buffer.concat([rest, value]);
  };
  const take = (bytes: number): Buffer => {
    const taken = rest.subarray(0, bytes);
    rest = rest.subarray(bytes);
    return taken;
  };
  return {
    unread(bytes: Buffer) {
      rest = Buffer.concat([bytes, rest]);
    },
    /** Bytes before a mark, which is taken away with them. */
    async until(mark: string): Promise<Buffer> {
      while (rest.indexOf(mark) < 0 && rest.length <= MAX_HEAD_BYTES) await more('every part with its end');
      const place = rest.indexOf(mark);
      headBytes += place + mark.length;
      if (place < 0 || headBytes > MAX_HEAD_BYTES) throw invalid('a head of at most 64 KiB');
      const bytes = take(place);
      take(mark.length);
      return bytes;
    },
    /** Everything before a mark, piece by piece; the last bytes of a piece may be the beginning of the mark. */
    async *stream(mark: Buffer): AsyncGenerator<Buffer> {
      while (rest.indexOf(mark) < 0) {
        if (rest.length >= mark.length) yield take(rest.length - mark.length + 1);
        await more('a file with its end');
      }
      yield take(rest.indexOf(mark));
    },
  };
}

function invalid(expected: string): InvalidInputError {
  return new InvalidInputError(`form: expected ${expected}`, { where: 'form' });
}
