import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export type RepositoryRequest =
	| { readonly type: "generate"; readonly files: number }
	| { readonly type: "edit"; readonly number: number; readonly word: string };

export type RepositoryAnswer =
	| { readonly type: "generated"; readonly path: string }
	| { readonly type: "edited" }
	| { readonly type: "failed"; readonly reason: string };

const PROCESS = fileURLToPath(new URL("./repository-process.mjs", import.meta.url));

/**
 * A generated repository (see `generateRepository`) whose gits a small process starts. Linux starts a process by copying the page tables of the
 * one that asks, and the asking one then pays for each page it writes: the index that the bench searches in lies in half a gigabyte of them.
 */
export class RepositoryInProcess {
	readonly #child = fork(PROCESS, { execArgv: [] });
	path = "";

	static async generate(files: number): Promise<RepositoryInProcess> {
		const repository = new RepositoryInProcess();
		try {
			const answer = await repository.#ask({ type: "generate", files });
			if (answer.type === "generated") repository.path = answer.path;
			return repository;
		} catch (error) {
			await repository.remove();
			throw error;
		}
	}

	async edit(number: number, word: string): Promise<void> {
		await this.#ask({ type: "edit", number, word });
	}

	async remove(): Promise<void> {
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		const ended = once(this.#child, "exit");
		if (this.#child.connected) this.#child.disconnect();
		await ended;
	}

	async #ask(request: RepositoryRequest): Promise<RepositoryAnswer> {
		const controller = new AbortController();
		const { signal } = controller;
		try {
			const ended = once(this.#child, "exit", { signal }).then(() => {
				throw new Error("the repository's process has ended");
			});
			const said = once(this.#child, "message", { signal }) as Promise<[RepositoryAnswer]>;
			this.#child.send(request);
			const [answer] = await Promise.race([said, ended]);
			if (answer.type === "failed") throw new Error(answer.reason);
			return answer;
		} finally {
			controller.abort();
		}
	}
}
