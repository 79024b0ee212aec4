/** The format of a zip file. A visit does not load it. */

export { strToU8, Zip, ZipPassThrough } from 'fflate';
