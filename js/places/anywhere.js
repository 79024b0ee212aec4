/** What depends on the place where the same code runs: an edge worker, or another one. */

import { fillFromEnvironment as fill } from '../client/environment.js';
import { isEdge } from '../client/place.js';
import { Subscriber as Sharing } from '../client/poll-sharing.js';

export const Subscriber = isEdge ? undefined : Sharing;
export const fillFromEnvironment = isEdge ? undefined : fill;
