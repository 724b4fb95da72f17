import { Controller, Get, Inject, Param } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import { Answers, AnswersProblems, CheckedQuery } from "../document/described.js";
import { OpenReader } from "../reading/open-reader.js";
import { type CommandAnswer, commandSchema, type WaitQuery, waitQuery } from "./command.schemas.js";
import { commandAnswer, resultOf } from "./command-answers.js";

@ApiTags("commands")
@AnswersProblems()
@Controller("api/v1/commands")
export class CommandsController {
	constructor(@Inject(OpenReader) private readonly open: OpenReader) {}

	/** How far a command is, what came of it, and its history. */
	@Get(":id")
	@Answers(commandSchema, "The command as it is now.")
	async status(@Param("id") id: string): Promise<CommandAnswer> {
		return commandAnswer(await this.open.services().commands.status(id));
	}

	/** Waits for the end of a command. A time-out ends nothing. */
	@Get(":id/wait")
	@Answers(commandSchema, "It has ended.")
	async wait(@Param("id") id: string, @CheckedQuery(waitQuery) { timeout }: WaitQuery): Promise<CommandAnswer> {
		return resultOf(await this.open.services().commands.wait(id, timeout * 1_000), timeout);
	}
}
