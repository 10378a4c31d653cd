import { createHmac } from 'node:crypto';

/** What S3 answers to a form that it refuses. */
export interface Refusal {
  readonly status: 400 | 403;
  readonly code: string;
}

type Condition = readonly [string, string | number, string | number] | Readonly<Record<string, string>>;

/**
 * Checks a posted form against its policy as S3 documents it, which neither s3rver nor moto does: the signature holds,
 * the time has not come, every field is covered by a condition that holds, and the file's size lies in the range.
 *
 * @returns null for a form that S3 would take
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
export function refusalOf(form: FormData, secretAccessKey: string): Refusal | null {
  const denied: Refusal = { status: 403, code: 'AccessDenied' };
  const fields = new Map<string, string>();
  for (const [name, value] of form) if (typeof value === 'string') fields.set(name.toLowerCase(), value);
  const encoded = fields.get('policy') ?? '';
  if (fields.get('x-amz-signature') !== signatureOf(encoded, fields, secretAccessKey)) {
    return { status: 403, code: 'SignatureDoesNotMatch' };
  }
  const policy = JSON.parse(Buffer.from(encoded, 'base64').toString()) as {
    expiration: string;
    conditions: Condition[];
  };
  if (Date.parse(policy.expiration) < Date.now()) return denied;
  fields.delete('policy');
  fields.delete('x-amz-signature');
  const rules = policy.conditions.map(ruleOf);
  const isCovered = [...fields.keys()].every((name) => rules.some((rule) => rule.name === name));
  const holds = rules.every(
    ({ name, value }) => name === 'content-length-range' || fields.get(name) === value,
  );
  if (!isCovered || !holds) return denied;
  const file = form.get('file');
  return sizeRefusal(file instanceof Blob ? file.size : 0, policy.conditions);
}

function sizeRefusal(size: number, conditions: readonly Condition[]): Refusal | null {
  for (const condition of conditions) {
    if (!Array.isArray(condition) || condition[0] !== 'content-length-range') continue;
    if (size < Number(condition[1])) return { status: 400, code: 'EntityTooSmall' };
    if (size > Number(condition[2])) return { status: 400, code: 'EntityTooLarge' };
  }
  return null;
}

/** `{ name: value }` and `['eq', '$name', value]`; other kinds are not ours to make, so they match nothing. */
function ruleOf(condition: Condition): { readonly name: string; readonly value: unknown } {
  if (!Array.isArray(condition)) {
    const [[name, value] = ['', '']] = Object.entries(condition);
    return { name: name.toLowerCase(), value };
  }
  const [kind, name, value] = condition as [string, string, string];
  if (kind === 'content-length-range') return { name: kind, value };
  return { name: name.replace(/^\$/, '').toLowerCase(), value: kind === 'eq' ? value : Symbol(kind) };
}

function signatureOf(policy: string, fields: ReadonlyMap<string, string>, secretAccessKey: string): string {
  const [, date = '', region = '', service = ''] = (fields.get('x-amz-credential') ?? '').split('/');
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  return createHmac('sha256', key).update(policy).digest('hex');
}
