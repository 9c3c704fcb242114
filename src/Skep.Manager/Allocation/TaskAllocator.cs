using Skep.Manager.Orchestration;
using Skep.Model.Objects;
using Skep.Model.Rules.Labels;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Allocation;

/// <summary>Gives tasks their places on networks: all of them, or none and the reason on the task.</summary>
public static class TaskAllocator
{
    /// <summary>NEW → PENDING. <paramref name="serviceError"/> says why the task's service has no endpoint yet.</summary>
    public static void Allocate(WorkingSet work, SwarmTask task, string? serviceError)
    {
        var error = serviceError;
        var attachments = error is null ? Attachments(work, task, ref error) : [];
        if (error is not null)
        {
            work.Books.Addresses.Release(task.Id);
            if (!Exhaustion.IsTold(task.Status.Err, error))
            {
                work.Update(task with { Status = task.Status with { Err = error } });
            }

            return;
        }

        work.Update(task with
        {
            Attachments = attachments,
            Status = new SwarmTaskStatus { State = TaskState.Pending, Message = "pending task scheduling", Timestamp = work.Now },
        });
    }

    private static List<TaskAttachment> Attachments(WorkingSet work, SwarmTask task, ref string? error)
    {
        var attachments = new List<TaskAttachment>();
        foreach (var wanted in Wanted(work, task, ref error))
        {
            if (work.Network(wanted.Target) is not { } network)
            {
                error ??= $"network {wanted.Target} not found";
                break;
            }

            if (!NetworkAllocator.IsAllocated(network))
            {
                error ??= $"network \"{network.Spec.Name}\" has no addresses: {network.AllocationError ?? "not allocated yet"}";
                break;
            }

            var addresses = new List<string>();
            foreach (var family in NetworkAllocator.IsOverlay(network) ? work.Books.Addresses.Pool(network.Id).Families : [])
            {
                if (work.Books.Addresses.Take(network.Id, task.Id, family) is not { } address)
                {
                    error ??= Exhaustion.Of(work, network.Id, family);
                    break;
                }

                addresses.Add(address);
            }

            attachments.Add(new TaskAttachment(network.Id, addresses) { Aliases = wanted.Aliases });
        }

        return attachments;
    }

    private static List<NetworkAttachmentConfig> Wanted(WorkingSet work, SwarmTask task, ref string? error)
    {
        var wanted = new List<NetworkAttachmentConfig>();
        // A canary serves another service's published ports, whatever it publishes itself.
        if (PortRules.HasIngress(task.Endpoint) || (CanaryRules.IsCanary(task.ServiceLabels) && work.IngressNetwork is not null))
        {
            if (work.IngressNetwork is { } ingress)
            {
                wanted.Add(new NetworkAttachmentConfig { Target = ingress.Id });
            }
            else
            {
                error ??= "service needs ingress network, but no ingress network is present";
            }
        }

        wanted.AddRange((task.Spec.Networks ?? []).Where(n => wanted.All(w => w.Target != n.Target)));
        return wanted;
    }
}
