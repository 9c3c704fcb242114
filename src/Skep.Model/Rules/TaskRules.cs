using System.Collections.Immutable;
using System.Globalization;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.Model.Rules;

/// <summary>What a task's template must keep to.</summary>
internal static class TaskRules
{
    private const long LeastCpu = 1_000_000;
    private const long LeastMemory = 4 << 20;
    private const long Millisecond = 1_000_000;

    public static void Check(TaskSpec spec, ImmutableArray<Problem>.Builder problems)
    {
        CheckResources(spec.Resources?.Limits?.NanoCPUs, spec.Resources?.Limits?.MemoryBytes, problems);
        CheckResources(spec.Resources?.Reservations?.NanoCPUs, spec.Resources?.Reservations?.MemoryBytes, problems);
        CheckRestart(spec.RestartPolicy, problems);
        CheckPlacement(spec.Placement, problems);
        if (spec.Runtime is not (null or "" or "container"))
        {
            return;
        }

        if (spec.ContainerSpec is not { } container)
        {
            problems.Add(new Problem("TaskSpec: missing runtime"));
            return;
        }

        CheckImage(container.Image, problems);
        CheckMounts(container.Mounts, problems);
        CheckHealth(container.Healthcheck, problems);
        if (container.StopGracePeriod < 0)
        {
            problems.Add(new Problem("ContainerSpec: stop grace period cannot be negative"));
        }
    }

    private static void CheckResources(long? cpu, long? memory, ImmutableArray<Problem>.Builder problems)
    {
        if (cpu is not (null or 0) and < LeastCpu)
        {
            var value = (cpu.Value / 1e9).ToString("g", CultureInfo.InvariantCulture);
            problems.Add(new Problem($"invalid cpu value {value}: Must be at least 0.001"));
        }

        if (memory is not (null or 0) and < LeastMemory)
        {
            problems.Add(new Problem($"invalid memory value {memory}: Must be at least 4MiB"));
        }
    }

    private static void CheckRestart(RestartPolicy? policy, ImmutableArray<Problem>.Builder problems)
    {
        if (policy?.Delay < 0)
        {
            problems.Add(new Problem("TaskSpec: restart-delay cannot be negative"));
        }

        if (policy?.Window < 0)
        {
            problems.Add(new Problem("TaskSpec: restart-window cannot be negative"));
        }

        if (policy?.Condition is not (null or "" or "any" or "on-failure" or "none"))
        {
            problems.Add(new Problem($"invalid RestartCondition: \"{policy.Condition}\"", Word: true));
        }
    }

    private static void CheckPlacement(Placement? placement, ImmutableArray<Problem>.Builder problems)
    {
        foreach (var text in placement?.Constraints ?? [])
        {
            try
            {
                PlacementConstraint.Parse(text);
            }
            catch (ClusterException unreadable)
            {
                problems.Add(new Problem(unreadable.Message));
            }
        }
    }

    private static void CheckImage(string? image, ImmutableArray<Problem>.Builder problems)
    {
        if (string.IsNullOrEmpty(image))
        {
            problems.Add(new Problem("ContainerSpec: image reference must be provided"));
        }
        else if (!ImageReference.IsValid(image))
        {
            problems.Add(new Problem($"ContainerSpec: \"{image}\" is not a valid repository/tag"));
        }
    }

    private static void CheckMounts(IReadOnlyList<Mount>? mounts, ImmutableArray<Problem>.Builder problems)
    {
        var targets = new HashSet<string>(StringComparer.Ordinal);
        foreach (var mount in mounts ?? [])
        {
            if (mount.Type is not ("bind" or "volume" or "tmpfs"))
            {
                problems.Add(new Problem($"invalid MountType: \"{mount.Type}\"", Word: true));
            }

            if (mount.Target.Length == 0)
            {
                problems.Add(new Problem("ContainerSpec: mount target must be provided"));
            }
            else if (!targets.Add(mount.Target))
            {
                problems.Add(new Problem($"ContainerSpec: duplicate mount point: {mount.Target}"));
            }
        }
    }

    private static void CheckHealth(HealthConfig? health, ImmutableArray<Problem>.Builder problems)
    {
        foreach (var (name, value) in new[]
        {
            ("Interval", health?.Interval), ("Timeout", health?.Timeout), ("StartPeriod", health?.StartPeriod), ("StartInterval", health?.StartInterval),
        })
        {
            if (value is not (null or 0) and < Millisecond)
            {
                problems.Add(new Problem($"ContainerSpec: {name} in HealthConfig cannot be less than 1ms"));
            }
        }

        if (health?.Retries < 0)
        {
            problems.Add(new Problem("ContainerSpec: Retries in HealthConfig cannot be negative"));
        }
    }
}
