"""The bodies of this wire, as botocore's service-2.json has them. A member that nobody knows is refused by name.

What this region has nothing for is `Any` here, and refused in `spec` where it asks for something.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = [
    "Cancel",
    "Container",
    "CreateQueue",
    "Depends",
    "Describe",
    "DescribeDefinitions",
    "DescribeQueues",
    "Events",
    "Filter",
    "ListJobs",
    "Named",
    "Pair",
    "Register",
    "Requirement",
    "RetryStrategy",
    "Submit",
    "Timeout",
    "UpdateQueue",
]


class _Shape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What every shape here has in common."""


class Pair(_Shape, frozen=True):
    """A variable of the environment."""

    name: str
    value: str = ""


class Requirement(_Shape, frozen=True):
    """Of `type` GPU, VCPU or MEMORY (MiB)."""

    type: Literal["GPU", "VCPU", "MEMORY"]
    value: str


class Evaluate(_Shape, frozen=True):
    """A rule; patterns may end with `*`."""

    action: str
    on_exit_code: str = ""
    on_reason: str = ""
    on_status_reason: str = ""


class RetryStrategy(_Shape, frozen=True):
    """Attempts, 1 to 10."""

    attempts: int = 1
    evaluate_on_exit: list[Evaluate] = []


class Timeout(_Shape, frozen=True):
    """Seconds of an attempt."""

    attempt_duration_seconds: int = 0


class Container(_Shape, frozen=True):
    """ContainerProperties and ContainerOverrides: what an attempt runs, and what it is given."""

    image: str = ""
    vcpus: int = 0
    memory: int = 0
    command: list[str] | None = None
    environment: list[Pair] = []
    resource_requirements: list[Requirement] = []
    ephemeral_storage: dict[str, int] = {}
    job_role_arn: str = ""
    execution_role_arn: str = ""
    instance_type: str = ""
    log_configuration: Any = None
    readonly_root_filesystem: bool = False
    privileged: bool = False
    user: str = ""
    volumes: Any = None
    mount_points: Any = None
    ulimits: Any = None
    linux_parameters: Any = None
    secrets: Any = None
    network_configuration: Any = None
    fargate_platform_configuration: Any = None
    runtime_platform: Any = None
    repository_credentials: Any = None
    enable_execute_command: Any = None


class Register(_Shape, frozen=True):
    """RegisterJobDefinition."""

    job_definition_name: str
    type: str
    parameters: dict[str, str] = {}
    scheduling_priority: int = 0
    container_properties: Container | None = None
    node_properties: Any = None
    eks_properties: Any = None
    ecs_properties: Any = None
    retry_strategy: RetryStrategy | None = None
    propagate_tags: bool = False
    timeout: Timeout | None = None
    tags: dict[str, str] = {}
    platform_capabilities: list[str] = []
    consumable_resource_properties: Any = None


class Depends(_Shape, frozen=True):
    """`type` SEQUENTIAL has no job: the children of an array one after the other."""

    job_id: str = ""
    type: Literal["", "N_TO_N", "SEQUENTIAL"] = ""


class ArrayProperties(_Shape, frozen=True):
    """2 to 10,000 children."""

    size: int = 0


class Submit(_Shape, frozen=True):
    """SubmitJob."""

    job_name: str
    job_queue: str
    job_definition: str
    share_identifier: str = ""
    scheduling_priority_override: int | None = None
    array_properties: ArrayProperties = ArrayProperties()
    depends_on: list[Depends] = []
    parameters: dict[str, str] = {}
    container_overrides: Container | None = None
    node_overrides: Any = None
    eks_properties_override: Any = None
    ecs_properties_override: Any = None
    consumable_resource_properties_override: Any = None
    retry_strategy: RetryStrategy | None = None
    propagate_tags: bool = False
    timeout: Timeout | None = None
    tags: dict[str, str] = {}


class Named(_Shape, frozen=True):
    """One definition or queue."""

    job_definition: str = ""
    job_queue: str = ""


class DescribeDefinitions(_Shape, frozen=True):
    """Revisions by name, ARN and state."""

    job_definitions: list[str] = []
    max_results: int | None = None
    job_definition_name: str = ""
    status: str = ""
    next_token: str | None = None


class CreateQueue(_Shape, frozen=True):
    """CreateJobQueue. There is one compute environment: the region's own engines."""

    job_queue_name: str
    state: Literal["ENABLED", "DISABLED"] = "ENABLED"
    priority: int = 0
    compute_environment_order: list[dict[str, Any]] = []
    tags: dict[str, str] = {}
    job_queue_type: str = ""
    scheduling_policy_arn: str = ""
    service_environment_order: Any = None
    job_state_time_limit_actions: Any = None


class UpdateQueue(_Shape, frozen=True):
    """UpdateJobQueue: what is not said stays."""

    job_queue: str
    state: Literal["", "ENABLED", "DISABLED"] = ""
    priority: int | None = None
    compute_environment_order: list[dict[str, Any]] = []
    scheduling_policy_arn: str = ""
    service_environment_order: Any = None
    job_state_time_limit_actions: Any = None


class DescribeQueues(_Shape, frozen=True):
    """Queues, or compute environments, by name or ARN."""

    job_queues: list[str] = []
    compute_environments: list[str] = []
    max_results: int | None = None
    next_token: str | None = None


class Describe(_Shape, frozen=True):
    """DescribeJobs: at most a hundred."""

    jobs: list[str]


class Filter(_Shape, frozen=True):
    """JOB_NAME, JOB_DEFINITION, BEFORE_CREATED_AT or AFTER_CREATED_AT; a value may end with `*`."""

    name: str
    values: list[str] = []


class ListJobs(_Shape, frozen=True):
    """ListJobs: of a queue, or of an array."""

    job_queue: str = ""
    array_job_id: str = ""
    multi_node_job_id: str = ""
    job_status: str = ""
    max_results: int | None = None
    next_token: str | None = None
    filters: list[Filter] = []


class Cancel(_Shape, frozen=True):
    """CancelJob and TerminateJob."""

    job_id: str
    reason: str = ""


class Events(_Shape, frozen=True):
    """GetLogEvents. A stream is `JOB/out` or `JOB/err`; it is always read from its head."""

    log_stream_name: str
    log_group_name: str = ""
    log_group_identifier: str = ""
    start_time: int | None = None
    end_time: int | None = None
    next_token: str | None = None
    limit: int = 10_000
    start_from_head: bool = True
    unmask: bool = False
