using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Control;

/// <summary>Nodes: their labels, availability and role, and their removal.</summary>
public sealed class NodeControl(IClusterStore store, TimeProvider clock)
{
    public async Task UpdateAsync(string reference, ulong version, NodeSpec sent, CancellationToken cancellationToken)
    {
        var view = store.Current;
        var node = Lookup.Node(view, reference);
        var spec = SpecCompletion.Complete(sent);
        Problem.Refuse(NodeRules.Check(spec));
        CheckRole(view, node, spec);
        if (node.Version != version)
        {
            throw RpcText.Refusal(ErrorKind.OutOfSequence, "update out of sequence");
        }

        try
        {
            await store.CommitAsync(new StoreTransaction().Update(node with { Spec = spec, UpdatedAt = clock.GetUtcNow() }), cancellationToken);
        }
        catch (ClusterException late) when (late.Kind == ErrorKind.OutOfSequence)
        {
            throw RpcText.Refusal(ErrorKind.OutOfSequence, late.Message);
        }
    }

    /// <summary>Forgets a node that is down, or any worker when <paramref name="force"/> is set; its tasks are lost.</summary>
    public async Task RemoveAsync(string reference, bool force, CancellationToken cancellationToken)
    {
        var id = Lookup.Node(store.Current, reference).Id;
        await store.EditAsync(view => view.Nodes.TryGetValue(id, out var node) ? Removal(view, node, force) : new StoreTransaction(), cancellationToken);
    }

    private static void CheckRole(StoreView view, SwarmNode node, NodeSpec spec)
    {
        if (spec.Role == node.Spec.Role)
        {
            return;
        }

        if (spec.Role == NodeSpec.Manager)
        {
            throw new ClusterException(ErrorKind.NotImplemented, "this version runs with one manager; a worker cannot be promoted");
        }

        if (view.Nodes.Values.Count(n => n.Spec.Role == NodeSpec.Manager) <= 1)
        {
            throw RpcText.Precondition("attempting to demote the last manager of the swarm");
        }

        throw new ClusterException(ErrorKind.NotImplemented, "this version cannot demote a manager");
    }

    private StoreTransaction Removal(StoreView view, SwarmNode node, bool force)
    {
        if (node.Spec.Role == NodeSpec.Manager || node.Role == NodeSpec.Manager)
        {
            throw RpcText.Precondition(
                $"node {node.Id} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal");
        }

        if (!force && node.Status.State == NodeState.Ready)
        {
            throw RpcText.Precondition($"node {node.Id} is not down and can't be removed");
        }

        var now = clock.GetUtcNow();
        var transaction = new StoreTransaction().Remove(node);
        foreach (var task in view.TasksOnNode(node.Id).Where(t => t.Status.State < TaskState.Complete))
        {
            var status = task.Status with
            {
                State = TaskState.Orphaned,
                Timestamp = now,
                AppliedAt = now,
                Message = "Task belonged to a node that has been deleted",
            };
            transaction.Update(task with { Status = status, UpdatedAt = now });
        }

        return transaction;
    }
}
