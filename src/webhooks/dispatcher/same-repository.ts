/**
 * What an address of a repository names, whichever way it is written: `https://git.example/a/b.git` and `git@git.example:a/b` are the same
 * one. Paths and lakeFS repositories are themselves.
 */
export function repositoryIdentity(address: string): string {
	const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/.exec(address);
	const plain = (path: string) => path.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "");
	if (/^lakefs:\/\//i.test(address)) return `lakefs://${plain(address.slice("lakefs://".length))}`;
	if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address) && URL.canParse(address)) {
		const { protocol, host, pathname } = new URL(address);
		if (protocol === "file:") return decodeURIComponent(pathname).replace(/\/+$/, "");
		return `${host.toLowerCase()}/${plain(decodeURIComponent(pathname))}`;
	}
	if (scp?.[1] !== undefined && scp[2] !== undefined) return `${scp[1].toLowerCase()}/${plain(scp[2])}`;
	return address.replace(/\/+$/, "");
}
