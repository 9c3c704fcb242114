using Skep.Manager.Certificates;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.Manager.Control;

/// <summary>The swarm itself: its settings and its join tokens.</summary>
public sealed class SwarmControl(IClusterStore store, TimeProvider clock)
{
    /// <summary>The swarm's object.</summary>
    /// <exception cref="ClusterException">Unavailable while the store has none yet.</exception>
    public SwarmCluster Cluster => store.Current.Cluster
        ?? throw new ClusterException(
            ErrorKind.Unavailable, "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster.");

    public static (JoinToken Worker, JoinToken Manager) Tokens(SwarmCluster cluster) =>
        (JoinToken.For(cluster.RootCertificate, cluster.WorkerTokenSecret), JoinToken.For(cluster.RootCertificate, cluster.ManagerTokenSecret));

    /// <summary>Replaces the settings and makes new tokens where asked; nodes that have joined stay.</summary>
    public async Task UpdateAsync(ulong version, ClusterSpec sent, TokenRotation rotate, CancellationToken cancellationToken)
    {
        var spec = SpecCompletion.Complete(sent);
        Problem.Refuse(ClusterRules.Check(spec));
        if (ClusterRules.Unsupported(spec) is { } sentence)
        {
            throw new ClusterException(ErrorKind.NotImplemented, sentence);
        }

        var cluster = Cluster;
        if (cluster.Version != version)
        {
            throw RpcText.Refusal(ErrorKind.OutOfSequence, "update out of sequence");
        }

        var next = cluster with
        {
            Spec = spec,
            UpdatedAt = clock.GetUtcNow(),
            WorkerTokenSecret = rotate.Worker ? JoinToken.NewSecret() : cluster.WorkerTokenSecret,
            ManagerTokenSecret = rotate.Manager ? JoinToken.NewSecret() : cluster.ManagerTokenSecret,
        };
        await store.CommitAsync(new StoreTransaction().Update(next), cancellationToken);
    }
}

public readonly record struct TokenRotation(bool Worker, bool Manager);
