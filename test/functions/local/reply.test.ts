import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import {
  htmlReply,
  jsonReply,
  problemReply,
  type Reply,
  readBody,
  redirect,
  send,
} from '../../../functions/local/reply.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterAll(() => Promise.all(servers.map((server) => server.close())));

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const answering = (reply: Reply) => listen((request, response) => void send(request, response, reply));

describe('an answer', () => {
  it.each<[string, Reply, number, string]>([
    ['JSON', jsonReply(200, { a: 1 }), 200, '{"a":1}'],
    ['a page', htmlReply(200, '<p>', "default-src 'self'"), 200, '<p>'],
    ['a stream', { status: 200, headers: {}, body: Readable.from(['a', 'b']) }, 200, 'ab'],
    ['another place', redirect('/x', { 'set-cookie': 'a=b' }), 303, ''],
  ])('of %s keeps browsers from guessing, framing and remembering', async (_, reply, status, body) => {
    const port = await answering(reply);
    const answer = await fetch(`http://127.0.0.1:${port}`, { redirect: 'manual' });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe(body);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src/);
  });

  it('that is a problem says when to come again, and how to make oneself known', () => {
    const headersOf = (status: number) => problemReply({ status, code: 'C', message: 'm' }, 'id').headers;
    expect(headersOf(503)).toMatchObject({ 'retry-after': '5' });
    expect(headersOf(429)).toMatchObject({ 'retry-after': '60' });
    expect(headersOf(401)).toMatchObject({ 'www-authenticate': 'Bearer' });
    const { body, headers } = problemReply({ status: 404, code: 'C', message: 'm' }, 'id');
    expect(headers).toEqual({ 'content-type': 'application/problem+json' });
    expect(JSON.parse(body as string)).toEqual({ code: 'C', message: 'm', requestId: 'id' });
  });

  it('to a body that was not read ends the connection, so that its rest is no request', async () => {
    const port = await answering(jsonReply(403, {}));
    const socket = connect(port, '127.0.0.1');
    const smuggled = 'GET /second HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${smuggled.length + 1000}\r\n\r\n${smuggled}`,
    );
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    socket.write('x'.repeat(1000));
    await once(socket, 'close');
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text).toMatch(/^connection: close$/im);
  });
});

describe('the body of a request', () => {
  it('is given whole, or not at all when it is too long, with a length said before or not', async () => {
    const port = await listen(async (request, response) => {
      const body = await readBody(request, 10);
      await send(request, response, jsonReply(200, body === null ? null : body.toString()));
    });
    const post = async (body: string | ReadableStream) => {
      const options = { method: 'POST', body, duplex: 'half' } as RequestInit;
      return (await fetch(`http://127.0.0.1:${port}`, options)).json();
    };
    expect(await post('0123456789')).toBe('0123456789');
    expect(await post('0123456789x')).toBeNull();
    expect(await post(new Blob(['01', '23']).stream())).toBe('0123');
    expect(await post(new Blob(['0123456789', 'x']).stream())).toBeNull();
  });
});
