import { FORM_SCRIPT } from './form-script.ts';
import { LIST_SCRIPT } from './list-script.ts';
import { UPLOAD_SCRIPT } from './upload-script.ts';

/*
 * What the page does, as the browser runs it: plain JavaScript without a library. Text of jobs goes in by
 * `textContent` only, so nothing that a table or a request holds can become markup.
 */

const BASICS = `'use strict';
const ENDED = ['succeeded', 'failed', 'cancelled'];
const JSON_TYPE = { 'content-type': 'application/json' };
const byId = (id) => document.getElementById(id);

function make(tag, text, properties) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  return Object.assign(element, properties);
}

const NO_ANSWER = 'The server does not answer';

/** A lost line, or something between here and the server that answers in its place. */
const lost = () => Object.assign(new Error(NO_ANSWER), { status: 0, isLost: true });

async function ask(path, options) {
  const response = await fetch(path, options).catch(() => { throw lost(); });
  if (response.status === 401) location.reload();
  const content = await response.json().catch(() => { throw lost(); });
  if (!response.ok) throw Object.assign(new Error(content.message), { status: response.status, issues: content.issues });
  return content;
}

/** As the beginning of a sentence. */
const plain = ({ message }) => message.charAt(0).toUpperCase() + message.slice(1);

function say(place, text, isBad) {
  byId(place).textContent = text;
  byId(place).className = isBad ? 'say bad' : 'say';
}
`;

export const SCRIPT = `${BASICS}${UPLOAD_SCRIPT}${FORM_SCRIPT}${LIST_SCRIPT}`;
