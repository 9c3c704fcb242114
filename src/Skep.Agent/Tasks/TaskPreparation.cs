using Skep.Agent.Images;
using Skep.Model.Objects;
using Skep.Network;

namespace Skep.Agent.Tasks;

/// <summary>What a task needs before its container can be made: its image and its place on its networks.</summary>
internal sealed class TaskPreparation(SwarmTask assigned, TaskContext context)
{
    /// <summary>Image and network at the same time; when one of them fails, the other is not waited for.</summary>
    public async Task<Sandbox> GatherAsync(CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var image = EnsureImageAsync(both.Token);
        var place = AttachAsync(both.Token);
        var first = await Task.WhenAny(image, place);
        if (!first.IsCompletedSuccessfully)
        {
            await both.CancelAsync();
            await Task.WhenAll(image, place).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            await first;
        }

        await image;
        return await place;
    }

    /// <summary>The task's place on its networks, made or found again; waits until the plan tells of all of them.</summary>
    public async Task<Sandbox> AttachAsync(CancellationToken cancellationToken)
    {
        var plan = context.Plan;
        var request = TaskRecipe.Sandbox(assigned, plan.Value.Plan);
        if (request is null)
        {
            var known = await plan.WaitAsync(set => TaskRecipe.Sandbox(assigned, set.Plan) is not null, cancellationToken);
            request = TaskRecipe.Sandbox(assigned, known.Plan)!;
        }

        return await context.Network.AttachAsync(request, cancellationToken);
    }

    /// <summary>
    /// An image that is here is used as it is: a tag is pinned to a digest when the service is made, so all nodes run the same,
    /// and a node can start what it has while the registry is away.
    /// </summary>
    private async Task EnsureImageAsync(CancellationToken cancellationToken)
    {
        var reference = assigned.Spec.ContainerSpec?.Image ?? "";
        if (await context.Images.FindAsync(reference, cancellationToken) is null)
        {
            await context.Images.PullAsync(reference, RegistryCredentials.FromHeader(assigned.Spec.ContainerSpec?.PullOptions?.RegistryAuth), progress: null, cancellationToken);
        }
    }
}
