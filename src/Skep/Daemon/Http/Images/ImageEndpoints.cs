using Skep.Agent.Images;
using Skep.Agent.Runtime;
using Skep.Daemon.Http.Events;
using Skep.Daemon.Http.Infrastructure;
using Skep.EngineApi.Images;
using Skep.Model.Errors;
using Skep.Model.Rules;

namespace Skep.Daemon.Http.Images;

/// <summary>/images and /distribution.</summary>
internal static class ImageEndpoints
{
    public static void MapImages(this IEndpointRouteBuilder routes, EngineServices services)
    {
        routes.MapGet("/images/json", (RequestDelegate)(context => ListAsync(context, services)));
        routes.MapPost("/images/create", (RequestDelegate)(context => ImageTransfers.CreateAsync(context, services)));
        routes.MapPost("/images/load", (RequestDelegate)(context => ImageTransfers.LoadAsync(context, services)));
        routes.MapGet("/images/get", (RequestDelegate)(context => ImageTransfers.SaveAsync(context, services, [.. context.Request.Query["names"].OfType<string>()])));
        routes.MapGet("/images/{name}/get", (RequestDelegate)(context => ImageTransfers.SaveAsync(context, services, [context.Segment("name")])));
        routes.MapPost("/images/prune", (RequestDelegate)(context => PruneAsync(context, services)));
        routes.MapGet("/images/{name}/json", (RequestDelegate)(context => InspectAsync(context, services)));
        routes.MapGet("/images/{name}/history", (RequestDelegate)(context => HistoryAsync(context, services)));
        routes.MapPost("/images/{name}/tag", (RequestDelegate)(context => TagAsync(context, services)));
        routes.MapDelete("/images/{name}", (RequestDelegate)(context => RemoveAsync(context, services)));
        routes.MapGet("/distribution/{name}/json", (RequestDelegate)(context => DistributionAsync(context, services)));
    }

    private static async Task ListAsync(HttpContext context, EngineServices services)
    {
        var filters = Filters.Of(context, "before", "dangling", "label", "reference", "since", "until");
        var images = await services.Images.ListAsync(context.RequestAborted);
        var chosen = await ImageFilter.ApplyAsync(images, filters, services.Images, context.RequestAborted);
        await context.WriteJsonAsync([.. chosen.Select(ImageShape.Summary)], ImagesJson.Default.ImageSummaryArray);
    }

    private static async Task InspectAsync(HttpContext context, EngineServices services) =>
        await context.WriteJsonAsync(ImageShape.Inspect(await FindAsync(context, services)), ImagesJson.Default.ImageInspect);

    private static async Task HistoryAsync(HttpContext context, EngineServices services) =>
        await context.WriteJsonAsync(ImageShape.History(await FindAsync(context, services)), ImagesJson.Default.ImageHistoryStepArray);

    private static async Task TagAsync(HttpContext context, EngineServices services)
    {
        var image = await FindAsync(context, services);
        var target = ImageTransfers.Joined(context.Text("repo") ?? "", context.Text("tag") ?? "");
        await services.Images.TagAsync(image.Id, target, context.RequestAborted);
        Tell(services, "tag", image.Id, ImageReference.Parse(target).Familiar);
        await context.WriteEmptyAsync(StatusCodes.Status201Created);
    }

    private static async Task RemoveAsync(HttpContext context, EngineServices services)
    {
        var name = context.Segment("name");
        var image = await FindAsync(context, services);
        var removals = await services.Images.RemoveAsync(name, context.Flag("force"), Uses(services), context.RequestAborted);
        TellRemovals(services, image.Id, removals);
        await context.WriteJsonAsync([.. removals.Select(Deletion)], ImageDeletionsJson.Default.ImageDeletionArray);
    }

    private static async Task PruneAsync(HttpContext context, EngineServices services)
    {
        var filters = Filters.Of(context, "dangling", "label", "label!", "until");
        var uses = Uses(services);
        var used = uses.Select(use => use.ImageId).ToHashSet(StringComparer.Ordinal);
        var deletions = new List<ImageDeletion>();
        long reclaimed = 0;
        foreach (var image in await services.Images.ListAsync(context.RequestAborted))
        {
            if (used.Contains(image.Id) || (filters.Flag("dangling") != false && image.Tags.Count > 0) || !ImageFilter.Prunable(image, filters, services.Clock))
            {
                continue;
            }
            try
            {
                var removals = await services.Images.RemoveAsync(image.Id, true, uses, context.RequestAborted);
                TellRemovals(services, image.Id, removals);
                deletions.AddRange(removals.Select(Deletion));
                reclaimed += image.Size;
            }
            catch (ClusterException e) when (e.Kind is ErrorKind.Conflict or ErrorKind.NotFound)
            {
                // Taken into use, or removed by another, in the meantime.
            }
        }
        await context.WriteJsonAsync(new ImagesPruned(deletions.Count == 0 ? null : deletions, reclaimed), ImageDeletionsJson.Default.ImagesPruned);
    }

    private static async Task DistributionAsync(HttpContext context, EngineServices services)
    {
        var info = await services.Images.InspectRemoteAsync(context.Segment("name"), RegistryAuthHeader.Read(context), context.RequestAborted);
        var answer = new DistributionInspect(
            new DistributionDescriptor(info.Descriptor.MediaType, info.Descriptor.Digest, info.Descriptor.Size),
            [.. info.Platforms.Select(platform => new DistributionPlatform(platform.Architecture, platform.Os)
            {
                Variant = string.IsNullOrEmpty(platform.Variant) ? null : platform.Variant,
            })]);
        await context.WriteJsonAsync(answer, ImagesJson.Default.DistributionInspect);
    }

    private static async Task<LocalImage> FindAsync(HttpContext context, EngineServices services)
    {
        var name = context.Segment("name");
        return await services.Images.FindAsync(name, context.RequestAborted) ?? throw ClusterException.NoSuchImage(name);
    }

    private static List<ImageUse> Uses(EngineServices services) =>
        [.. services.Containers.Containers.Select(container => new ImageUse(container.ImageId, container.Id, container.State == ContainerState.Running))];

    private static ImageDeletion Deletion(ImageRemoval removal) => new() { Untagged = removal.Untagged, Deleted = removal.Deleted };

    private static void TellRemovals(EngineServices services, string id, IReadOnlyList<ImageRemoval> removals)
    {
        foreach (var removal in removals.Where(removal => removal.Untagged is not null))
        {
            Tell(services, "untag", id, removal.Untagged!);
        }
        if (removals.Any(removal => removal.Deleted == id))
        {
            Tell(services, "delete", id, id);
        }
    }

    internal static void Tell(EngineServices services, string action, string id, string name) => services.Events.Publish(
        new EngineEvent("image", action, id, services.Clock.GetUtcNow()) { Attributes = new Dictionary<string, string> { ["name"] = name } });
}
