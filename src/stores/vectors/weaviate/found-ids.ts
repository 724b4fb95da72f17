import protobuf from "protobufjs/minimal.js";

/** An object that a search of vectors found. */
export interface FoundId {
	readonly uuid: string;
	readonly distance: number;
}

/** A field's number and the wire type of its value, as they stand before it. */
const field = (number: number, wireType: number): number => (number << 3) | wireType;
const [BYTES, FIXED32] = [2, 5];
const RESULT = field(2, BYTES);
const METADATA = field(2, BYTES);
const ID = field(1, BYTES);
const DISTANCE = field(7, FIXED32);

/** Of a `SearchReply` (v1/search_get.proto of weaviate/weaviate) what each result has of these two, in its order. */
export function readFoundIds(reply: Buffer): FoundId[] {
	const found: FoundId[] = [];
	const reader = protobuf.Reader.create(reply);
	eachField(reader, reader.len, (result) => {
		if (result !== RESULT) return false;
		eachField(reader, endOf(reader), (metadata) => {
			if (metadata !== METADATA) return false;
			let uuid = "";
			let distance = 0;
			eachField(reader, endOf(reader), (value) => {
				if (value === ID) uuid = reader.string();
				else if (value === DISTANCE) distance = reader.float();
				else return false;
				return true;
			});
			found.push({ uuid, distance });
			return true;
		});
		return true;
	});
	return found;
}

const endOf = (reader: protobuf.Reader): number => {
	const length = reader.uint32();
	return reader.pos + length;
};

/** `read` is given each field and says whether it read its value. */
function eachField(reader: protobuf.Reader, end: number, read: (field: number) => boolean): void {
	while (reader.pos < end) {
		const tag = reader.uint32();
		if (!read(tag)) reader.skipType(tag & 7);
	}
}
