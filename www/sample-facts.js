/** Where a call goes, for the samples that use no client. */

import { SERVICE } from '../js/client/service.js';

/** @typedef {import('./code-samples.js').Call} Call */

/**
 * The variable with the key.
 *
 * @param {Call} call
 */
export const variableOf = ({ baseUrl }) =>
  baseUrl?.includes('tokenlab') ? 'TOKENLAB_API_KEY' : 'LEMONDATA_API_KEY';

/** @param {Call} call */
export const serviceOf = ({ baseUrl = SERVICE }) => baseUrl;

/** @param {Pick<Call, 'sources'>} call */
export const pathOf = ({ sources }) =>
  sources?.action === 'edit' ? '/v1/images/edits' : '/v1/images/generations';

/**
 * What the service gets: other models to try are the client's own business.
 *
 * @param {Call['request']} request
 */
export const withoutFallback = ({ fallback: _, ...request }) => request;
