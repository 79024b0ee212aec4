/** Runs before every route, as an application's own check of sessions does. */

import { NextResponse } from 'next/server';

export function proxy() {
  const response = NextResponse.next();
  response.headers.set('x-proxy', 'passed');
  return response;
}
