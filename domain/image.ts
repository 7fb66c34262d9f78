/** A container image's name, taken apart. */
export interface ImageName {
  /** `registry:5000/path/etcd`: everything before tag and digest. */
  readonly repository: string;
  /** `etcd`: the last part of the repository. */
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

/**
 * Parses `reg:5000/etcd:3.6.8-0@sha256:…`. A colon is a tag only after the last slash, or a registry's port would be taken for one;
 * the digest is cut off first, because it holds a colon too.
 */
export function parseImage(image: string): ImageName {
  const at = image.indexOf('@');
  const digest = at < 0 ? undefined : image.slice(at + 1);
  const named = at < 0 ? image : image.slice(0, at);
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  const repository = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  return {
    repository,
    name: repository.slice(slash + 1),
    ...(tag ? { tag } : {}),
    ...(digest ? { digest } : {}),
  };
}

/** The version in an image's tag, without a leading v (`1.36.3`, `3.6.8-0`). Undefined for an image named by digest alone. */
export function imageVersion(image: string): string | undefined {
  const tag = parseImage(image).tag;
  return tag === undefined ? undefined : tag.replace(/^v(?=\d)/, '');
}
