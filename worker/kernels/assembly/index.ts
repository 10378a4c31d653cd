export { ceiling } from './ceiling';
