using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Control;

/// <summary>Services: made, changed and removed; the orchestrator does the rest.</summary>
public sealed class ServiceControl(IClusterStore store, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>Makes a service and returns its id.</summary>
    /// <param name="sent">The specification as it was read; its networks may be names.</param>
    /// <param name="registryAuth">The client's X-Registry-Auth header; null = none.</param>
    public async Task<string> CreateAsync(ServiceSpec sent, string? registryAuth, CancellationToken cancellationToken)
    {
        var spec = SpecCompletion.Complete(sent);
        var id = ObjectId.New();
        spec = Checked(spec.Name.Length == 0 ? spec with { Name = $"service_{id[..8]}" } : spec);
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var view = store.Current;
            if (view.ServiceNamed(spec.Name) is not null)
            {
                throw AlreadyExists(spec.Name);
            }

            spec = ServiceNetworks.Resolve(spec, view);
            ServicePorts.Check(spec, id, view);
            ServiceCanaries.Check(spec, id, view);
            HeldPorts.Check(spec, before: null, view);
            AddressNeeds.Check(spec, before: null, view);
            var now = clock.GetUtcNow();
            var service = new SwarmService { Id = id, CreatedAt = now, UpdatedAt = now, Spec = WithAuth(spec, registryAuth) };
            await store.CommitAsync(new StoreTransaction().Create(service), cancellationToken);
            return id;
        }
        catch (ClusterException taken) when (taken.Kind == ErrorKind.Conflict && !taken.Message.StartsWith("rpc", StringComparison.Ordinal))
        {
            throw AlreadyExists(spec.Name);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Replaces a service's specification.</summary>
    /// <param name="reference">Id, name or the beginning of the id.</param>
    /// <param name="version">The version of the service that the change is based on.</param>
    /// <param name="sent">The whole new specification.</param>
    /// <param name="auth">Where credentials for the registry come from.</param>
    public async Task UpdateAsync(string reference, ulong version, ServiceSpec sent, RegistryAuthSource auth, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var view = store.Current;
            var service = Lookup.Service(view, reference);
            var spec = ServiceNetworks.Resolve(Checked(SpecCompletion.Complete(sent)), view);
            RequireSameIdentity(service.Spec, spec);
            ServicePorts.Check(spec, service.Id, view);
            ServiceCanaries.Check(spec, service.Id, view);
            HeldPorts.Check(spec, service, view);
            AddressNeeds.Check(spec, service.Spec, view);
            if (service.Version != version)
            {
                throw RpcText.Refusal(ErrorKind.OutOfSequence, "update out of sequence");
            }

            var next = service with
            {
                UpdatedAt = clock.GetUtcNow(),
                Spec = WithAuth(spec, auth.Choose(service)),
                PreviousSpec = service.Spec,
                SpecVersion = version,
                PreviousSpecVersion = service.SpecVersion,

                // A client takes an old "completed" for the end of its own update.
                UpdateStatus = null,
            };
            await store.CommitAsync(new StoreTransaction().Update(next), cancellationToken);
        }
        catch (ClusterException late) when (late.Kind == ErrorKind.OutOfSequence && !late.Message.StartsWith("rpc", StringComparison.Ordinal))
        {
            throw RpcText.Refusal(ErrorKind.OutOfSequence, late.Message);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Forgets a service; its tasks are stopped and removed by the orchestrator.</summary>
    public async Task RemoveAsync(string reference, CancellationToken cancellationToken)
    {
        var id = Lookup.Service(store.Current, reference).Id;
        await store.EditAsync(
            view => view.Services.TryGetValue(id, out var service) ? new StoreTransaction().Remove(service) : new StoreTransaction(), cancellationToken);
    }

    /// <summary>Tasks of a service: how many run, and how many should.</summary>
    public static (ulong Running, ulong Desired) Count(StoreView view, SwarmService service)
    {
        var (running, wanted) = (0UL, 0UL);
        foreach (var task in view.TasksOfService(service.Id))
        {
            running += task.Status.State == TaskState.Running ? 1UL : 0;
            wanted += task.DesiredState == TaskState.Running ? 1UL : 0;
        }

        return (running, service.Spec.Mode.Replicated is { } replicated ? replicated.Replicas ?? 1 : wanted);
    }

    public void Dispose() => _writing.Dispose();

    private static ServiceSpec Checked(ServiceSpec spec)
    {
        Problem.Refuse(ServiceRules.Check(spec));
        return ServiceRules.Unsupported(spec) is { } sentence ? throw new ClusterException(ErrorKind.NotImplemented, sentence) : spec;
    }

    private static void RequireSameIdentity(ServiceSpec old, ServiceSpec next)
    {
        if (!string.Equals(old.Name, next.Name, StringComparison.Ordinal))
        {
            throw RpcText.Unimplemented("renaming services is not supported");
        }

        if ((old.Mode.Replicated is null) != (next.Mode.Replicated is null) || (old.Mode.Global is null) != (next.Mode.Global is null))
        {
            throw RpcText.Unimplemented("service mode change is not allowed");
        }
    }

    private static ServiceSpec WithAuth(ServiceSpec spec, string? registryAuth) =>
        string.IsNullOrEmpty(registryAuth) || spec.TaskTemplate.ContainerSpec is not { } container
            ? spec
            : spec with
            {
                TaskTemplate = spec.TaskTemplate with { ContainerSpec = container with { PullOptions = new PullOptions { RegistryAuth = registryAuth } } },
            };

    private static ClusterException AlreadyExists(string name) =>
        RpcText.Refusal(ErrorKind.Conflict, $"name conflicts with an existing object: service {name} already exists");
}
