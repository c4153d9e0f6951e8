import { resolve } from 'node:path';
import express, { type RequestHandler } from 'express';

/** Bundlers put a hash of the content into the name: what has that name never changes. */
const hashedName = /[-.][\w-]{8,}\.\w+$/;

/**
 * Files of a folder, its index.html at `/` only. What is not there goes on to the next handler, so that a wrong address of the API
 * is still answered as one.
 */
export function webPages(root: string): RequestHandler {
  return express.static(resolve(root), {
    index: 'index.html',
    redirect: false,
    cacheControl: false,
    setHeaders: (response, path) => {
      const isImmutable = path.includes('assets') && hashedName.test(path);
      response.setHeader('Cache-Control', isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache');
      response.setHeader('X-Content-Type-Options', 'nosniff');
    },
  });
}
