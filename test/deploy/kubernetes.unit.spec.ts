import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/config.js";
import { SETTINGS } from "../../src/config/settings.js";
import { KUBERNETES, type Manifest, manifests } from "./deploy-files.js";

const all = manifests();
const one = (kind: string, name: string): Manifest => {
	const found = all.filter(({ document }) => document.kind === kind && document.metadata.name === name);
	expect([kind, name, found.length]).toEqual([kind, name, 1]);
	return found[0]?.document;
};
const workloads = all.filter(({ document }) => ["Deployment", "Job"].includes(document.kind));

describe("deploy/kubernetes", () => {
	test("runs several workers that scale, three APIs that stay, and migrations as a job", () => {
		const scaler = one("HorizontalPodAutoscaler", "lode-worker").spec;
		expect(scaler.scaleTargetRef).toEqual({ apiVersion: "apps/v1", kind: "Deployment", name: "lode-worker" });
		expect(scaler.minReplicas).toBeGreaterThanOrEqual(2);
		expect(one("Deployment", "lode-worker").spec.replicas).toBeGreaterThanOrEqual(scaler.minReplicas);
		const api = one("Deployment", "lode-api").spec;
		expect(api.replicas).toBe(3);
		const [container] = api.template.spec.containers;
		expect(container.readinessProbe.httpGet).toEqual({ path: "/health/ready", port: "http" });
		expect(container.livenessProbe.httpGet).toEqual({ path: "/health/live", port: "http" });
		const budget = one("PodDisruptionBudget", "lode-api").spec;
		expect(budget.minAvailable).toBeLessThan(api.replicas);
		expect(budget.selector).toEqual(api.selector);
		expect(one("Service", "lode-api").spec.selector).toEqual(api.template.metadata.labels);
		expect(one("Job", "lode-migrate").spec.template.spec.containers[0].command).toEqual(["lode", "migrate"]);
	});

	test("says where Prometheus finds metrics, on ports that there are", () => {
		for (const name of ["lode-api", "lode-worker"]) {
			const { metadata, spec } = one("Deployment", name).spec.template;
			const { containerPort } = spec.containers[0].ports.find((port: { name: string }) =>
				[name === "lode-api" ? "http" : "metrics"].includes(port.name),
			);
			expect(metadata.annotations).toEqual({
				"prometheus.io/scrape": "true",
				"prometheus.io/port": String(containerPort),
			});
		}
		const { env } = one("Deployment", "lode-worker").spec.template.spec.containers[0];
		expect(env).toContainEqual({ name: "LODE_METRICS_WORKER_PORT", value: "9464" });
		expect(env).toContainEqual({ name: "LODE_METRICS_HOST", value: "0.0.0.0" });
		const allowed = one("NetworkPolicy", "lode").spec.ingress.flatMap(({ ports }: Manifest) => ports);
		expect(allowed.map(({ port }: Manifest) => port)).toContain("metrics");
	});

	test("selects what it labels", () => {
		for (const { document } of workloads) {
			const { selector, template } = document.spec;
			if (selector) expect(template.metadata.labels).toEqual(selector.matchLabels);
			for (const { labelSelector } of template.spec.topologySpreadConstraints ?? []) {
				expect(labelSelector.matchLabels).toEqual(template.metadata.labels);
			}
		}
	});

	test("gives settings that exist and are enough, and every secret by reference", () => {
		const known = new Map(SETTINGS.map((setting) => [setting.name, setting]));
		const config = one("ConfigMap", "lode-config").data as Record<string, string>;
		for (const name of Object.keys(config)) {
			expect([name, known.has(name), known.get(name)?.secret === true]).toEqual([name, true, false]);
		}
		for (const { file, document } of workloads) {
			for (const container of document.spec.template.spec.containers) {
				expect(container.envFrom).toEqual([{ configMapRef: { name: "lode-config" } }]);
				const env: Record<string, string> = { ...config };
				for (const { name, value, valueFrom } of container.env) {
					expect([file, name, known.has(name)]).toEqual([file, name, true]);
					if (known.get(name)?.secret || /KEY_ID/.test(name)) {
						expect([file, name, value, valueFrom.secretKeyRef.name]).toEqual([file, name, undefined, "lode-secrets"]);
						expect(valueFrom.secretKeyRef.key).toBe(name);
					}
					env[name] = value ?? "from-the-secret";
				}
				expect(loadConfig({ env, cwd: "/" }).config.profile).toBe("servers");
			}
		}
		expect(all.filter(({ document }) => document.kind === "Secret")).toEqual([]);
	});

	test("runs every pod as the restricted standard wants it", () => {
		expect(one("Namespace", "lode").metadata.labels["pod-security.kubernetes.io/enforce"]).toBe("restricted");
		for (const { document } of workloads) {
			const { spec } = document.spec.template;
			expect(spec.automountServiceAccountToken).toBe(false);
			expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
			for (const container of spec.containers) {
				expect(container.image).toBe("lode");
				expect(container.securityContext).toEqual({
					allowPrivilegeEscalation: false,
					readOnlyRootFilesystem: true,
					capabilities: { drop: ["ALL"] },
				});
				expect(Object.keys(container.resources.requests)).toEqual(["cpu", "memory"]);
				expect(container.resources.limits.memory).toBeDefined();
				const mounted = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
				expect(mounted).toEqual(["/var/lib/lode", "/tmp"]);
			}
		}
	});

	test("is complete in one kustomization", () => {
		const { document } = all.find(({ file }) => file === "kustomization.yaml") ?? {};
		const files = readdirSync(KUBERNETES).filter((file) => file !== "kustomization.yaml");
		expect([...document.resources].sort()).toEqual(files.sort());
		expect(document.images[0].name).toBe("lode");
		for (const { file, document: manifest } of all) {
			if (file !== "kustomization.yaml" && manifest.kind !== "Namespace")
				expect(manifest.metadata.namespace).toBe("lode");
		}
	});
});
