import { describe, expect, it } from "vitest";
import type { EntityState } from "../../domain/entities.js";
import { fileKey, symbolKey } from "../../domain/keys.js";
import type { Extraction } from "../extractor.js";
import { codeExtractor } from "./code-extractor.js";

/** Real grammars throughout. Keys are shortened by the source's part. */
const SOURCE = "shop-0123456789ab";

async function extract(language: string, path: string, text: string): Promise<Extraction> {
	const settings = { chunkSize: 1_200, overlap: 150 };
	const input = { source: SOURCE, path, text, bytes: new TextEncoder().encode(text), language, settings };
	expect(codeExtractor.matches(input)).toBe(true);
	return codeExtractor.extract(input);
}

const short = (key: string): string => key.replace(`${SOURCE}:`, "");

/** `<symbolKind> <qualified>` in order of position. */
const symbols = ({ states }: Extraction): string[] =>
	states.filter(({ kind }) => kind === "symbol").map(({ props }) => `${props.symbolKind} ${props.qualified}`);

const regions = (extraction: Extraction): string[] =>
	extraction.regions.map(({ kind, symbol, startLine, endLine }) => `${kind} ${symbol} ${startLine}-${endLine}`);

function state(extraction: Extraction, path: string, qualified?: string): EntityState {
	const key = qualified === undefined ? fileKey(SOURCE, path) : symbolKey(SOURCE, path, qualified);
	const found = extraction.states.find((candidate) => candidate.key === key);
	if (!found) throw new Error(`no state ${key}`);
	return found;
}

const edges = (of: EntityState, kind: string): string[] =>
	of.edges.filter((edge) => edge.kind === kind).map(({ to }) => short(to));

const provides = (of: EntityState): string[] => of.provides.map(({ name, rank }) => `${rank} ${short(name)}`);

interface Sample {
	readonly language: string;
	readonly path: string;
	readonly text: string;
	readonly symbols: readonly string[];
	readonly regions: readonly string[];
	readonly imports: readonly string[];
	/** By qualified name; "" is the file. */
	readonly calls: Readonly<Record<string, readonly string[]>>;
	readonly references?: Readonly<Record<string, readonly string[]>>;
	readonly provides: Readonly<Record<string, readonly string[]>>;
}

const SAMPLES: readonly Sample[] = [
	{
		language: "typescript",
		path: "src/shop/cart.ts",
		text: `import fs from "node:fs";
import { Item, price as priceOf } from "./item.js";
import * as tax from "../tax";
import { z } from "@acme/schema/v4";

/** Holds what is bought. */
@Injectable()
export class Cart<T> extends Base implements tax.Taxed {
	#items: Item[] = [];

	// Adds one.
	add(item: Item): void {
		this.check(item);
		priceOf(item);
		tax.rate(1);
		super.refresh();
		console.log(item);
	}

	private check(item: Item) {
		return new Item(z.object());
	}
}

export interface Priced {
	total: number;
}
export type Id = string;
export enum Mode { A, B }
export const LIMIT = 3, hidden = () => checkout(run);
const local = 1;
function total(x: number): number;
function total(x: any): number {
	function inner() {}
	inner();
	return x;
}
export { total as sum };
export default function checkout(run: () => void) {
	run();
	const later = require("./lazy");
}
`,
		symbols: [
			"class Cart",
			"method Cart.add",
			"method Cart.check",
			"interface Priced",
			"type Id",
			"enum Mode",
			"constant LIMIT",
			"function hidden",
			"function total",
			"function total.inner",
			"function checkout",
		],
		regions: [
			"class Cart 6-23",
			"method Cart.add 11-18",
			"method Cart.check 20-22",
			"type Priced 25-27",
			"type Id 28-28",
			"type Mode 29-29",
			"function hidden 30-30",
			"function total 33-37",
			"function checkout 39-42",
		],
		imports: [
			"module:js/fs",
			"name:module:js:src/shop/item",
			"name:module:js:src/shop/lazy",
			"name:module:js:src/tax",
			"package:npm/@acme/schema",
		],
		calls: {
			"": ["name:symbol:js:Injectable"],
			"Cart.add": [
				"name:member:js:src/shop/item#price",
				"name:member:js:src/tax#rate",
				"name:symbol:js:refresh",
				"symbol:src/shop/cart.ts#Cart.check",
			],
			"Cart.check": ["name:member:js:@acme/schema/v4#z.object", "name:member:js:src/shop/item#Item"],
			hidden: ["symbol:src/shop/cart.ts#checkout"],
			total: ["symbol:src/shop/cart.ts#total.inner"],
			checkout: [],
		},
		references: { Cart: ["name:member:js:src/tax#Taxed", "name:symbol:js:Base"] },
		provides: {
			"": ["0 name:module:js:src/shop/cart"],
			Cart: [
				"3 name:member:js:src#Cart",
				"2 name:member:js:src/shop#Cart",
				"0 name:member:js:src/shop/cart#Cart",
				"0 name:symbol:js:Cart",
			],
			"Cart.add": [
				"3 name:member:js:src#Cart.add",
				"2 name:member:js:src/shop#Cart.add",
				"0 name:member:js:src/shop/cart#Cart.add",
				"1 name:symbol:js:add",
			],
			total: [
				"3 name:member:js:src#sum",
				"2 name:member:js:src/shop#sum",
				"0 name:member:js:src/shop/cart#sum",
				"0 name:symbol:js:total",
			],
			checkout: ["0 name:member:js:src/shop/cart#default", "0 name:symbol:js:checkout"],
			"total.inner": [],
		},
	},
	{
		language: "tsx",
		path: "app/page.tsx",
		text: `import { Button } from "./ui/button";

export const Page = ({ title }: Props) => {
	const onClick = () => submit(title);
	return <Button onClick={onClick}><b>{title}</b><Local /></Button>;
};

function Local() {
	return null;
}
`,
		symbols: ["function Page", "function Page.onClick", "function Local"],
		regions: ["function Page 3-6", "function Local 8-10"],
		imports: ["name:module:js:app/ui/button"],
		calls: {
			Page: ["name:member:js:app/ui/button#Button", "symbol:app/page.tsx#Local"],
			"Page.onClick": ["name:symbol:js:submit"],
		},
		provides: { "": ["0 name:module:js:app/page"], Local: ["0 name:symbol:js:Local"] },
	},
	{
		language: "javascript",
		path: "lib/index.js",
		text: `const { load } = require("./load.js");
const path = require("path");

function run(file) {
	return load(path.join(file)).finishUp();
}

exports.stop = function () {
	run();
};
module.exports = { run };
`,
		symbols: ["function run", "function stop"],
		regions: ["function run 4-6", "function stop 8-10"],
		imports: ["module:js/path", "name:module:js:lib/load"],
		calls: {
			run: ["name:member:js:lib/load#load", "name:member:js:path#join", "name:symbol:js:finishUp"],
			stop: ["symbol:lib/index.js#run"],
		},
		provides: {
			"": ["1 name:module:js:lib", "0 name:module:js:lib/index"],
			run: ["1 name:member:js:lib#run", "0 name:symbol:js:run"],
		},
	},
	{
		language: "python",
		path: "src/httpx/_client.py",
		text: `"""The client."""
import os.path
import typing as t
from . import _models
from ._models import Request as Req, build
from .._base import *

DEFAULT_TIMEOUT = 5
_hidden = 1


# Not the docstring.
@t.final
class Client(BaseClient, _models.Mixin):
    """Sends requests.

    More.
    """

    def send(self, request, auth=None):
        self.close_all()
        auth(request)
        build(Req())
        _models.parse(request)
        os.path.splitext(request)
        print(request)
        return unknown_helper(request)

    @property
    def close_all(self):
        def inner():
            return Client()
        return inner()


async def main():
    await Client().send(1)
`,
		symbols: [
			"constant DEFAULT_TIMEOUT",
			"class Client",
			"method Client.send",
			"method Client.close_all",
			"function Client.close_all.inner",
			"function main",
		],
		regions: ["class Client 12-33", "method Client.send 20-27", "method Client.close_all 29-33", "function main 36-37"],
		imports: [
			"name:module:python:_base",
			"name:module:python:httpx",
			"name:module:python:httpx._models",
			"name:module:python:httpx._models.build",
			"name:module:python:os.path",
			"name:module:python:typing",
		],
		calls: {
			"Client.send": [
				"name:member:python:httpx._models#Request",
				"name:member:python:httpx._models#build",
				"name:member:python:httpx._models#parse",
				"name:member:python:os.path#splitext",
				"name:symbol:python:unknown_helper",
				"symbol:src/httpx/_client.py#Client.close_all",
			],
			"Client.close_all": ["symbol:src/httpx/_client.py#Client.close_all.inner"],
			"Client.close_all.inner": ["symbol:src/httpx/_client.py#Client"],
			main: ["name:symbol:python:send", "symbol:src/httpx/_client.py#Client"],
		},
		references: { Client: ["name:member:python:httpx._models#Mixin", "name:symbol:python:BaseClient"] },
		provides: {
			"": ["0 name:module:python:httpx._client", "0 name:module:python:src.httpx._client"],
			Client: [
				"2 name:member:python:httpx#Client",
				"0 name:member:python:httpx._client#Client",
				"0 name:symbol:python:Client",
			],
		},
	},
	{
		language: "go",
		path: "internal/db/store.go",
		text: `package db

import (
	"fmt"

	"github.com/acme/shop/v2/internal/cart"
	yaml "gopkg.in/yaml.v3"
)

// Store keeps carts.
type Store struct {
	Base
	*cart.Cart
	name string
}

type (
	// Getter gets.
	Getter interface{ Get() }
	Name   = string
)

const Limit, hidden = 1, 2

// Open opens.
func Open(open func()) *Store {
	open()
	fmt.Println("x")
	return newStore(cart.New())
}

func (s *Store) Save() error {
	s.flushAll()
	return yaml.Unmarshal(s.name)
}

func (s *Store) flushAll() {}
`,
		symbols: [
			"struct Store",
			"interface Getter",
			"type Name",
			"constant Limit",
			"function Open",
			"method Store.Save",
			"method Store.flushAll",
		],
		regions: [
			"class Store 10-15",
			"type Getter 17-19",
			"type Name 20-20",
			"function Open 25-30",
			"method Store.Save 32-35",
			"method Store.flushAll 37-37",
		],
		imports: [
			"name:module:go:fmt",
			"name:module:go:github.com/acme/shop/v2/internal/cart",
			"name:module:go:gopkg.in/yaml.v3",
			"name:module:go:internal/cart",
			"package:go/github.com/acme/shop/v2",
			"package:go/gopkg.in/yaml.v3",
		],
		calls: {
			Open: ["name:member:go:internal/cart#New", "name:member:go:internal/db#newStore"],
			"Store.Save": ["name:member:go:gopkg.in/yaml.v3#Unmarshal", "symbol:internal/db/store.go#Store.flushAll"],
		},
		references: { Store: ["name:member:go:internal/cart#Cart", "name:member:go:internal/db#Base"] },
		provides: {
			"": ["0 name:module:go:internal/db"],
			Open: ["0 name:member:go:internal/db#Open", "0 name:symbol:go:Open"],
			"Store.Save": ["0 name:member:go:internal/db#Store.Save", "1 name:symbol:go:Save"],
		},
	},
	{
		language: "java",
		path: "src/main/java/com/acme/Cart.java",
		text: `package com.acme;

import com.acme.tax.Rates;
import static com.acme.util.Text.shorten;
import java.util.*;

/**
 * Holds what is bought.
 */
@Entity
public class Cart extends Base<Item> implements Priced {
	private final int size = 1;

	public Cart() {
		this.reset();
	}

	@Override
	public int total(int a) {
		reset();
		shorten("a");
		Rates.current();
		return new Rates().apply(helper.compute());
	}

	private void reset() {}

	interface Visitor { void visit(); }
	enum Mode { A, B }
}
`,
		symbols: [
			"class Cart",
			"method Cart.Cart",
			"method Cart.total",
			"method Cart.reset",
			"interface Cart.Visitor",
			"method Cart.Visitor.visit",
			"enum Cart.Mode",
		],
		regions: [
			"class Cart 7-30",
			"method Cart.Cart 14-16",
			"method Cart.total 18-24",
			"method Cart.reset 26-26",
			"type Cart.Visitor 28-28",
			"class Cart.Mode 29-29",
		],
		imports: [
			"name:module:java:com.acme.tax.Rates",
			"name:module:java:com.acme.util.Text",
			"name:module:java:java.util",
		],
		calls: {
			"Cart.Cart": ["symbol:src/main/java/com/acme/Cart.java#Cart.reset"],
			"Cart.total": [
				"name:member:java:com.acme.tax#Rates",
				"name:member:java:com.acme.tax#Rates.current",
				"name:member:java:com.acme.util#Text.shorten",
				"name:symbol:java:compute",
				"symbol:src/main/java/com/acme/Cart.java#Cart.reset",
			],
		},
		references: { Cart: ["name:symbol:java:Base", "name:symbol:java:Priced"] },
		provides: {
			"": ["0 name:module:java:com.acme", "0 name:module:java:com.acme.Cart"],
			Cart: ["0 name:member:java:com.acme#Cart", "0 name:symbol:java:Cart"],
			"Cart.total": ["0 name:member:java:com.acme#Cart.total", "1 name:symbol:java:total"],
		},
	},
	{
		language: "rust",
		path: "crates/my-shop/src/cart.rs",
		text: `use crate::tax::{rate, Taxed as T};
use serde::Serialize;
use std::fmt;
use helpers::round_up;

mod helpers;

/// Holds what is bought.
#[derive(Debug)]
pub struct Cart<I> {
    items: Vec<I>,
}

pub trait Priced: T {
    fn price(&self) -> u32;
}

impl<I> Priced for Cart<I> {
    fn price(&self) -> u32 {
        self.check_all();
        Self::create();
        rate(round_up(1)) + crate::tax::table::lookup(2) + helpers::extra()
    }
}

impl<I> Cart<I> {
    pub fn create() -> Self {
        todo!()
    }
    fn check_all(&self) {}
}

impl fmt::Display for Foreign {
    fn fmt(&self) {}
}

pub const LIMIT: u8 = 1;
const HIDDEN: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    fn works() {
        Cart::create();
    }
}
`,
		symbols: [
			"struct Cart",
			"trait Priced",
			"method Priced.price",
			"method Cart.price",
			"method Cart.create",
			"method Cart.check_all",
			"impl Foreign",
			"method Foreign.fmt",
			"constant LIMIT",
			"module tests",
			"function tests.works",
		],
		regions: [
			"class Cart 8-12",
			"type Priced 14-16",
			"class Cart 18-24",
			"method Cart.price 19-23",
			"class Cart 26-31",
			"method Cart.create 27-29",
			"method Cart.check_all 30-30",
			"class Foreign 33-35",
			"method Foreign.fmt 34-34",
			"function tests.works 43-45",
		],
		imports: [
			"module:rust/std::fmt",
			"name:module:rust:crates/my-shop/src/cart",
			"name:module:rust:crates/my-shop/src/cart/helpers",
			"name:module:rust:crates/my-shop/src/cart/helpers/round_up",
			"name:module:rust:crates/my-shop/src/tax",
			"name:module:rust:crates/my-shop/src/tax/rate",
			"name:module:rust:serde",
			"package:cargo/serde",
		],
		calls: {
			"Cart.price": [
				"name:member:rust:crates/my-shop/src/cart/helpers#extra",
				"name:member:rust:crates/my-shop/src/cart/helpers#round_up",
				"name:member:rust:crates/my-shop/src/tax#rate",
				"name:member:rust:crates/my-shop/src/tax/table#lookup",
				"symbol:crates/my-shop/src/cart.rs#Cart.check_all",
				"symbol:crates/my-shop/src/cart.rs#Cart.create",
			],
			"tests.works": ["symbol:crates/my-shop/src/cart.rs#Cart.create"],
		},
		references: {
			Cart: ["symbol:crates/my-shop/src/cart.rs#Priced"],
			Priced: ["name:member:rust:crates/my-shop/src/tax#Taxed"],
		},
		provides: {
			"": ["0 name:module:rust:crates/my-shop/src/cart", "1 name:module:rust:my_shop/cart"],
			LIMIT: [
				"1 name:member:rust:crates/my-shop/src#LIMIT",
				"0 name:member:rust:crates/my-shop/src/cart#LIMIT",
				"2 name:member:rust:my_shop#LIMIT",
				"1 name:member:rust:my_shop/cart#LIMIT",
				"0 name:symbol:rust:LIMIT",
			],
		},
	},
	{
		language: "c",
		path: "src/cart.h",
		text: `#ifndef CART_H
#define CART_H
#include <stdio.h>
#include "../lib/item.h"
#define MAX_ITEMS 10

/* Holds what is bought. */
struct cart {
	int size;
};
typedef struct { int x; } point;
enum mode { A, B };

int cart_total(struct cart *c);

static int grow(int (*visit)(int)) {
	return visit(1) + item_price(2);
}

char *cart_name(void) { return grow(0) ? strdup("a") : 0; }
#endif
`,
		symbols: [
			"constant MAX_ITEMS",
			"struct cart",
			"type point",
			"enum mode",
			"function cart_total",
			"function grow",
			"function cart_name",
		],
		regions: [
			"class cart 7-10",
			"type point 11-11",
			"type mode 12-12",
			"function grow 16-18",
			"function cart_name 20-20",
		],
		imports: [
			"name:module:c:../lib/item.h",
			"name:module:c:item.h",
			"name:module:c:lib/item.h",
			"name:module:c:stdio.h",
		],
		calls: { grow: ["name:symbol:c:item_price"], cart_name: ["symbol:src/cart.h#grow"] },
		provides: {
			"": ["2 name:module:c:cart.h", "0 name:module:c:src/cart.h"],
			cart_total: ["1 name:symbol:c:cart_total"],
			grow: [],
			cart_name: ["0 name:symbol:c:cart_name"],
		},
	},
	{
		language: "cpp",
		path: "src/cart.cpp",
		text: `#include "cart.hpp"

namespace acme::shop {

/// Holds what is bought.
template <class T>
class Cart : public Base, private ns::Mixin<T> {
 public:
  Cart();
  int total() const {
    refresh();
    this->refresh();
    return ns::lookup(other.compute());
  }
  void refresh();
};

void Cart<int>::refresh() { std::sort(1); auto x = new Item(); }

}  // namespace acme::shop

int acme::shop::Cart<int>::late(int a) { return helper<int>(a); }
`,
		symbols: ["class Cart", "method Cart.Cart", "method Cart.total", "method Cart.refresh", "method Cart.late"],
		regions: ["class Cart 5-16", "method Cart.total 10-14", "method Cart.refresh 18-18", "method Cart.late 22-22"],
		imports: ["name:module:c:cart.hpp", "name:module:c:src/cart.hpp"],
		calls: {
			"Cart.total": ["name:symbol:c:compute", "name:symbol:c:lookup", "symbol:src/cart.cpp#Cart.refresh"],
			"Cart.refresh": ["name:symbol:c:Item"],
			"Cart.late": ["name:symbol:c:helper"],
		},
		references: { Cart: ["name:symbol:c:Base", "name:symbol:c:Mixin"] },
		provides: { Cart: ["0 name:symbol:c:Cart"], "Cart.Cart": ["2 name:symbol:c:Cart"] },
	},
	{
		language: "csharp",
		path: "src/Cart.cs",
		text: `using System;
using Acme.Tax;
using Money = Acme.Values.Money;

namespace Acme.Shop;

/// <summary>Holds what is bought.</summary>
[Serializable]
public class Cart : Base<Item>, IPriced
{
    public Cart() { Reset(); }

    [Obsolete]
    public int Total(Func<int> visit)
    {
        visit();
        this.Reset();
        Money.Round(2);
        return new Receipt().Print();
    }

    private void Reset() => Console.WriteLine();
}

public interface IPriced { int Price(); }
public record Line(int Amount);
public enum Mode { A }
`,
		symbols: [
			"class Cart",
			"method Cart.Cart",
			"method Cart.Total",
			"method Cart.Reset",
			"interface IPriced",
			"method IPriced.Price",
			"class Line",
			"enum Mode",
		],
		regions: [
			"class Cart 7-23",
			"method Cart.Cart 11-11",
			"method Cart.Total 13-20",
			"method Cart.Reset 22-22",
			"type IPriced 25-25",
			"class Line 26-26",
			"type Mode 27-27",
		],
		imports: ["name:module:csharp:Acme.Tax", "name:module:csharp:Acme.Values.Money", "name:module:csharp:System"],
		calls: {
			"Cart.Cart": ["symbol:src/Cart.cs#Cart.Reset"],
			"Cart.Total": [
				"name:member:csharp:Acme.Values#Money.Round",
				"name:symbol:csharp:Print",
				"name:symbol:csharp:Receipt",
				"symbol:src/Cart.cs#Cart.Reset",
			],
			"Cart.Reset": [],
		},
		references: { Cart: ["name:symbol:csharp:Base", "symbol:src/Cart.cs#IPriced"] },
		provides: {
			"": [
				"0 name:module:csharp:Acme.Shop",
				"0 name:module:csharp:Acme.Shop.Cart",
				"0 name:module:csharp:Acme.Shop.IPriced",
				"0 name:module:csharp:Acme.Shop.Line",
				"0 name:module:csharp:Acme.Shop.Mode",
			],
			Cart: ["0 name:member:csharp:Acme.Shop#Cart", "0 name:symbol:csharp:Cart"],
		},
	},
	{
		language: "ruby",
		path: "lib/shop/cart.rb",
		text: `require "json"
require "money/core"
require_relative "../tax"

# Holds what is bought.
module Shop
  class Cart < Acme::Base
    include Priced
    LIMIT = 3

    def total(a)
      check(a)
      self.check(a)
      puts a
      Item.new(Tax.lookup(a))
    end

    def check(a)
    end

    def self.build = Cart.new
  end
end

def helper(x)
  x.total_of
end
`,
		symbols: [
			"module Shop",
			"class Shop.Cart",
			"constant Shop.Cart.LIMIT",
			"method Shop.Cart.total",
			"method Shop.Cart.check",
			"method Shop.Cart.build",
			"function helper",
		],
		regions: [
			"class Shop 5-23",
			"class Shop.Cart 7-22",
			"method Shop.Cart.total 11-16",
			"method Shop.Cart.check 18-19",
			"method Shop.Cart.build 21-21",
			"function helper 25-27",
		],
		imports: ["name:module:ruby:json", "name:module:ruby:lib/tax", "name:module:ruby:money/core", "package:gem/money"],
		calls: {
			"Shop.Cart.total": [
				"name:symbol:ruby:Item",
				"name:symbol:ruby:lookup",
				"symbol:lib/shop/cart.rb#Shop.Cart.check",
			],
			"Shop.Cart.build": ["symbol:lib/shop/cart.rb#Shop.Cart"],
			helper: ["name:symbol:ruby:total_of"],
		},
		references: { "Shop.Cart": ["name:symbol:ruby:Base", "name:symbol:ruby:Priced"] },
		provides: {
			"": ["0 name:module:ruby:lib/shop/cart", "1 name:module:ruby:shop/cart"],
			"Shop.Cart": ["1 name:symbol:ruby:Cart"],
		},
	},
	{
		language: "php",
		path: "src/Models/Cart.php",
		text: `<?php
namespace App\\Models;

use App\\Base\\Model;
use Acme\\{Tax, Money as Cash};
use function App\\Text\\shorten;

require_once __DIR__ . '/../boot.php';

/** Holds what is bought. */
#[Entity]
final class Cart extends Model implements Priced
{
    use Countable2;

    public function total(int $a): int
    {
        $this->check($a);
        self::make();
        Tax::rate(strlen($a));
        $other->compute();
        return new Cash(shorten($a));
    }

    private function check($a) {}
    public static function make() {}
}

function helper() { return new Cart(); }
const LIMIT = 3;
`,
		symbols: [
			"class Cart",
			"method Cart.total",
			"method Cart.check",
			"method Cart.make",
			"function helper",
			"constant LIMIT",
		],
		regions: [
			"class Cart 10-27",
			"method Cart.total 16-23",
			"method Cart.check 25-25",
			"method Cart.make 26-26",
			"function helper 29-29",
		],
		imports: [
			"name:module:php:Acme\\Money",
			"name:module:php:Acme\\Tax",
			"name:module:php:App\\Base\\Model",
			"name:module:php:App\\Text\\shorten",
			"name:module:php:src/boot.php",
		],
		calls: {
			"Cart.total": [
				"name:member:php:Acme#Money",
				"name:member:php:Acme#Tax.rate",
				"name:member:php:App\\Text#shorten",
				"name:symbol:php:compute",
				"symbol:src/Models/Cart.php#Cart.check",
				"symbol:src/Models/Cart.php#Cart.make",
			],
			helper: ["symbol:src/Models/Cart.php#Cart"],
		},
		references: {
			Cart: ["name:member:php:App\\Base#Model", "name:symbol:php:Countable2", "name:symbol:php:Priced"],
		},
		provides: {
			"": [
				"0 name:module:php:App\\Models\\Cart",
				"0 name:module:php:App\\Models\\helper",
				"0 name:module:php:src/Models/Cart.php",
			],
			Cart: ["0 name:member:php:App\\Models#Cart", "0 name:symbol:php:Cart"],
		},
	},
];

describe("codeExtractor", () => {
	describe.each(SAMPLES)("$language", (sample) => {
		const run = () => extract(sample.language, sample.path, sample.text);

		it("finds symbols and regions", async () => {
			const extraction = await run();
			expect(extraction.skips).toEqual([]);
			expect(symbols(extraction)).toEqual(sample.symbols);
			expect(regions(extraction)).toEqual(sample.regions);
		});

		it("states imports, calls and references", async () => {
			const extraction = await run();
			const at = (qualified: string) => state(extraction, sample.path, qualified || undefined);
			expect(edges(at(""), "IMPORTS")).toEqual(sample.imports);
			for (const [qualified, calls] of Object.entries(sample.calls)) {
				expect({ [qualified]: edges(at(qualified), "CALLS") }).toEqual({ [qualified]: calls });
			}
			for (const [qualified, types] of Object.entries(sample.references ?? {})) {
				expect({ [qualified]: edges(at(qualified), "REFERENCES") }).toEqual({ [qualified]: types });
			}
		});

		it("provides names of module and symbols", async () => {
			const extraction = await run();
			for (const [qualified, names] of Object.entries(sample.provides)) {
				const found = provides(state(extraction, sample.path, qualified || undefined));
				expect({ [qualified]: found }).toEqual({ [qualified]: names });
			}
		});

		it("gives the same twice, and with CRLF the same lines", async () => {
			const first = await run();
			expect(await run()).toEqual(first);
			const crlf = await extract(sample.language, sample.path, sample.text.replaceAll("\n", "\r\n"));
			expect(symbols(crlf)).toEqual(symbols(first));
			expect(regions(crlf)).toEqual(regions(first));
		});
	});

	it("states file, symbols and their order of containment", async () => {
		const { states } = await extract("python", "a/b.py", "class A:\n    def m(self):\n        def inner(): pass\n");
		const defines = states.map((of) => [short(of.key), edges(of, "DEFINES")]);
		expect(defines).toEqual([
			["file:a/b.py", ["symbol:a/b.py#A"]],
			["symbol:a/b.py#A", ["symbol:a/b.py#A.m"]],
			["symbol:a/b.py#A.m", ["symbol:a/b.py#A.m.inner"]],
			["symbol:a/b.py#A.m.inner", []],
		]);
		expect(states[0]).toMatchObject({ kind: "file", name: "b.py", props: {} });
	});

	it("gives symbols their place, signature, doc and count", async () => {
		const text =
			"/**\n * Adds two.\n * @param a one\n */\nexport function add(a: number): void;\nexport function add(a: string) {\n}\n";
		const extraction = await extract("typescript", "add.ts", text);
		expect(state(extraction, "add.ts", "add").props).toEqual({
			symbolKind: "function",
			qualified: "add",
			language: "typescript",
			path: "add.ts",
			startLine: 1,
			endLine: 5,
			signature: "export function add(a: number): void;",
			doc: "Adds two.",
			count: 2,
		});
	});

	it("lets b.ts go before b/index.ts for the same importers", async () => {
		const importer = await extract(
			"typescript",
			"src/a.ts",
			'import { x } from "./b";\nx.go();\nxyz();\nimport "./b.js";\n',
		);
		const [wanted] = edges(state(importer, "src/a.ts"), "IMPORTS");
		expect(edges(state(importer, "src/a.ts"), "IMPORTS")).toEqual(["name:module:js:src/b"]);
		const file = await extract("typescript", "src/b.ts", "export const x = 1;\n");
		const folder = await extract("typescript", "src/b/index.ts", "export const x = 1;\n");
		expect(provides(state(file, "src/b.ts"))).toContain(`0 ${wanted}`);
		expect(provides(state(folder, "src/b/index.ts"))).toContain(`1 ${wanted}`);
		expect(provides(state(file, "src/b.ts", "x"))).toContain("0 name:member:js:src/b#x");
		expect(provides(state(folder, "src/b/index.ts", "x"))).toContain("1 name:member:js:src/b#x");
	});

	it("resolves Python packages and relative imports", async () => {
		const init = await extract(
			"python",
			"pkg/sub/__init__.py",
			"from .. import top\nfrom ...x import y\nfrom .mod import Name\n",
		);
		const file = state(init, "pkg/sub/__init__.py");
		expect(provides(file)).toEqual(["0 name:module:python:pkg.sub"]);
		expect(edges(file, "IMPORTS")).toEqual([
			"name:module:python:pkg",
			"name:module:python:pkg.sub.mod",
			"name:module:python:pkg.top",
			"name:module:python:x",
			"name:module:python:x.y",
		]);
	});

	it("does not leave the source by relative imports", async () => {
		const js = await extract("javascript", "a.js", 'import "../../etc/passwd";\nimport "./../b";\n');
		expect(edges(state(js, "a.js"), "IMPORTS")).toEqual([]);
		const python = await extract("python", "a.py", "from .... import x\n");
		expect(edges(state(python, "a.py"), "IMPORTS")).toEqual([]);
	});

	it("meets Go importers of the first two folder levels by the source's name", async () => {
		const importer = await extract(
			"go",
			"cmd/main.go",
			'package main\nimport (\n"github.com/acme/shop/db"\n"github.com/acme/shop"\n)\n',
		);
		const imports = edges(state(importer, "cmd/main.go"), "IMPORTS");
		const db = await extract("go", "db/db.go", "package db\n");
		const root = await extract("go", "shop.go", "package shop\n");
		for (const [extraction, path] of [
			[db, "db/db.go"],
			[root, "shop.go"],
		] as const) {
			const names = state(extraction, path).provides.map(({ name }) => short(name));
			expect(names.some((name) => imports.includes(name))).toBe(true);
		}
	});

	it("extracts what parses around syntax errors", async () => {
		const extraction = await extract(
			"python",
			"a.py",
			"def first():\n    pass\n\nclass (:\n\ndef second():\n    first()\n",
		);
		expect(extraction.skips).toEqual([]);
		expect(symbols(extraction)).toEqual(expect.arrayContaining(["function first", "function second"]));
	});

	it("counts columns and lines right beside characters outside ASCII", async () => {
		const text = '﻿const größe = "😀😀";\nexport function naïveΔ() {\n\tвычислить("😀"); // 😀\n}\n';
		const extraction = await extract("typescript", "ä/ö.ts", text);
		expect(state(extraction, "ä/ö.ts", "naïveΔ")).toMatchObject({
			name: "naïveΔ",
			props: { startLine: 2, endLine: 4, signature: "export function naïveΔ()" },
		});
		expect(edges(state(extraction, "ä/ö.ts", "naïveΔ"), "CALLS")).toEqual(["name:symbol:js:вычислить"]);
	});

	it("keeps one region where minified code shares lines", async () => {
		const extraction = await extract(
			"javascript",
			"min.js",
			"function a(){}function b(){}class C{m(){}n(){}}\nfunction d(){}\n",
		);
		expect(symbols(extraction)).toHaveLength(6);
		expect(regions(extraction)).toEqual(["function a 1-1", "function d 2-2"]);
	});

	it("drops a region that begins on the line of the outer one or of the end of another", async () => {
		const nested = await extract("javascript", "a.js", "class A { m() {\n}\nn() {\n}\n}\n");
		expect(regions(nested)).toEqual(["class A 1-5", "method A.n 3-4"]);
		const beside = await extract("javascript", "b.js", "function a() {\n\n} function b() {}\nfunction c() {}\n");
		expect(regions(beside)).toEqual(["function a 1-3", "function c 4-4"]);
	});

	it("never gives regions that overlap in part", async () => {
		for (const { language, path, text } of SAMPLES) {
			// Without line breaks in odd places: many constructs share lines.
			const joined = text.replace(/([;{}])\n/g, (all, mark: string, at: number) => (at % 3 === 0 ? mark : all));
			const open: { startLine: number; endLine: number }[] = [];
			for (const region of (await extract(language, path, joined)).regions) {
				while (open.length > 0 && (open.at(-1)?.endLine ?? 0) < region.startLine) open.pop();
				const outer = open.at(-1);
				if (outer) expect(region.endLine).toBeLessThanOrEqual(outer.endLine);
				open.push(region);
			}
		}
	});

	it("caps the calls of one symbol", async () => {
		const calls = Array.from({ length: 700 }, (_, i) => `	call${i}();`).join("\n");
		const extraction = await extract("javascript", "many.js", `function all() {\n${calls}\n}\n`);
		expect(edges(state(extraction, "many.js", "all"), "CALLS")).toHaveLength(500);
	});

	it("has no place for prototype names", async () => {
		const text =
			"export class __proto__ { constructor() {} toString() {} }\nexport function hasOwnProperty() { __proto__(); valueOf(); }\n";
		const extraction = await extract("javascript", "proto.js", text);
		expect(symbols(extraction)).toEqual([
			"class __proto__",
			"method __proto__.constructor",
			"method __proto__.toString",
			"function hasOwnProperty",
		]);
		expect(edges(state(extraction, "proto.js", "hasOwnProperty"), "CALLS")).toEqual(["symbol:proto.js#__proto__"]);
	});

	it("leaves other languages alone", () => {
		const input = { source: SOURCE, path: "a", bytes: new Uint8Array(), settings: { chunkSize: 1_200, overlap: 0 } };
		expect(codeExtractor.matches({ ...input, text: "", language: "sql" })).toBe(false);
		expect(codeExtractor.matches({ ...input, text: "", language: undefined })).toBe(false);
		expect(codeExtractor.matches({ ...input, text: undefined, language: "python" })).toBe(false);
	});
});

describe("codeExtractor with hostile input", () => {
	it.each([
		["(", "nesting"],
		["[", "nesting"],
		["{", "nesting"],
		["a<", "nesting"],
	])("skips 100,000 times %s", async (text, reason) => {
		for (const language of ["typescript", "python", "csharp", "cpp"]) {
			const extraction = await extract(language, "deep", text.repeat(100_000));
			expect(extraction).toMatchObject({ states: [], regions: [], skips: [{ reason }] });
		}
	});

	it("skips more than 2 MiB", async () => {
		const extraction = await extract("javascript", "big.js", "a();\n".repeat(500_000));
		expect(extraction).toMatchObject({ states: [], regions: [], skips: [{ reason: "too_large" }] });
	});

	it("walks trees as deep as the file is long", async () => {
		for (const [language, text] of [
			["javascript", `x = a${"+a".repeat(100_000)};\nfunction after() {}\n`],
			["javascript", `x = a${".next()".repeat(50_000)};\nfunction after() {}\n`],
			["python", `x = ${"not ".repeat(50_000)}a\ndef after(): pass\n`],
		] as const) {
			expect(symbols(await extract(language, "deep", text))).toEqual(["function after"]);
		}
	});

	it("takes one line of 1 MiB, with a bound on symbols", async () => {
		const line = Array.from({ length: 32_000 }, (_, i) => `function f${i}(){return f${i + 1}()}`).join("");
		const extraction = await extract("javascript", "line.js", line);
		expect(line.length).toBeGreaterThan(1024 * 1024);
		expect(symbols(extraction)).toHaveLength(5_000);
		expect(extraction.regions).toHaveLength(1);
		expect(extraction.skips).toMatchObject([{ reason: "too_large" }]);
	});

	it("skips what takes too much memory, and mines the next file as ever", async () => {
		const before = await extract("csharp", "A.cs", "class A { void Run() {} }\n");
		// Below the bound on nesting, yet every `<` doubles the readings.
		const ambiguous = `${"a<".repeat(900)};`.repeat(300);
		const extraction = await extract("csharp", "B.cs", ambiguous);
		expect(extraction).toMatchObject({ states: [], regions: [], skips: [{ reason: "too_large" }] });
		expect(await extract("csharp", "A.cs", "class A { void Run() {} }\n")).toEqual(before);
	});

	it("mines files at the same time as one by one, also when one of them uses up the memory", async () => {
		const work = [
			...SAMPLES,
			{ language: "csharp", path: "B.cs", text: `${"a<".repeat(900)};`.repeat(300) },
			...SAMPLES,
		];
		const together = await Promise.all(work.map(({ language, path, text }) => extract(language, path, text)));
		for (const [index, { language, path, text }] of work.entries()) {
			expect(await extract(language, path, text)).toEqual(together[index]);
		}
	});
});
