/** What the routes of schema.ts take and answer, as the functions of api.ts have it. */
import type { paths } from "./schema";

export type Method = "get" | "post" | "put" | "delete";

/** The routes that have this method. */
export type PathWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { parameters: unknown }> ? P : never;
}[keyof paths];

export type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

type PathOf<O> = O extends { parameters: { path: infer T } } ? { path: T } : { path?: never };

type Query<O> = O extends { parameters: { query?: infer T } } ? NonNullable<T> : never;
/** null is not sent. */
type QueryOf<O> = [Query<O>] extends [never]
  ? { query?: never }
  : { query?: { [Name in keyof Query<O>]: Query<O>[Name] | null } };

type Body<Content> = Content extends { "application/json": infer T } ? T : File;
type BodyOf<O> = O extends { requestBody: { content: infer Content } }
  ? { body: Body<Content> }
  : O extends { requestBody?: { content: infer Content } }
    ? { body?: Body<Content> }
    : { body?: never };

/** What stands in the address. */
export type Address<O> = PathOf<O> & QueryOf<O>;
export type Asked<O> = Address<O> & BodyOf<O> & { signal?: AbortSignal };
/** An argument that can be left out where nothing of it has to be given. */
export type MayLack<T> = Record<never, never> extends T ? [given?: T] : [given: T];

type OfStatus<Response> = Response extends { content: { "application/json": infer T } } ? T : never;
/** The JSON of a success; of several statuses, each one's. */
export type Answer<O> = O extends { responses: infer All }
  ? { [Status in keyof All]: OfStatus<All[Status]> }[keyof All]
  : never;
/** What a GET answers. */
export type Got<P extends PathWith<"get">> = Answer<Operation<P, "get">>;
