using System.Threading.Channels;
using Skep.Agent.Images;
using Skep.Daemon.Http.Infrastructure;
using Skep.Model.Errors;
using Skep.Model.Rules;

namespace Skep.Daemon.Http.Images;

/// <summary>Pull, import, load and save: the image endpoints that move much.</summary>
internal static class ImageTransfers
{
    public static Task CreateAsync(HttpContext context, EngineServices services) =>
        string.IsNullOrEmpty(context.Text("fromImage"))
            ? ImportAsync(context, services)
            : PullAsync(context, services);

    public static async Task LoadAsync(HttpContext context, EngineServices services)
    {
        var quiet = context.Flag("quiet");
        await new ProgressStream(context).RunAsync(async stream =>
        {
            var names = await ReportingAsync(
                stream, quiet, progress => services.Images.LoadAsync(context.Request.Body, progress, context.RequestAborted), context.RequestAborted);
            foreach (var name in names)
            {
                var text = ImageReference.IsDigest(name) ? $"Loaded image ID: {name}\n" : $"Loaded image: {name}\n";
                await stream.WriteAsync(new ProgressLine { Stream = text }, context.RequestAborted);
                ImageEndpoints.Tell(services, "load", await IdOfAsync(services, name, context.RequestAborted), name);
            }
        });
    }

    public static async Task SaveAsync(HttpContext context, EngineServices services, IReadOnlyList<string> names)
    {
        if (names.Count == 0)
        {
            throw ClusterException.Invalid("\"docker save\" requires at least 1 image");
        }
        // Headers go with the first byte: an unknown image must still be a 404.
        context.Response.ContentType = "application/x-tar";
        await services.Images.SaveAsync(names, context.Response.Body, context.RequestAborted);
    }

    /// <summary>A repository and its tag or digest as one reference.</summary>
    public static string Joined(string name, string tag) => tag.Length == 0 ? name : name + (ImageReference.IsDigest(tag) ? "@" : ":") + tag;

    private static async Task PullAsync(HttpContext context, EngineServices services)
    {
        RefusePlatform(context);
        var name = context.Text("fromImage")!;
        var tag = context.Text("tag") ?? "";
        if (tag.Length == 0 && ImageReference.ParseBare(name) is { Tag: null, Digest: null })
        {
            throw new ClusterException(ErrorKind.NotImplemented, "This version does not pull all tags of a repository; name one.");
        }
        var reference = Joined(name, tag);
        var credentials = RegistryAuthHeader.Read(context);
        await new ProgressStream(context).RunAsync(async stream =>
        {
            var image = await ReportingAsync(
                stream, false, progress => services.Images.PullAsync(reference, credentials, progress, context.RequestAborted), context.RequestAborted);
            ImageEndpoints.Tell(services, "pull", image.Id, ImageReference.Parse(reference).Familiar);
        });
    }

    private static async Task ImportAsync(HttpContext context, EngineServices services)
    {
        RefusePlatform(context);
        if (context.Text("fromSrc") is not "-")
        {
            throw new ClusterException(ErrorKind.NotImplemented, "This version imports from the request's body only; fetch the archive first.");
        }
        var repository = context.Text("repo") ?? "";
        var reference = repository.Length == 0 ? null : Joined(repository, context.Text("tag") ?? "");
        string[] changes = [.. context.Request.Query["changes"].OfType<string>()];
        await new ProgressStream(context).RunAsync(async stream =>
        {
            var image = await services.Images.ImportAsync(context.Request.Body, reference, changes, context.Text("message"), context.RequestAborted);
            await stream.WriteAsync(new ProgressLine { Status = image.Id }, context.RequestAborted);
            ImageEndpoints.Tell(services, "import", image.Id, reference is null ? image.Id : ImageReference.Parse(reference).Familiar);
        });
    }

    private static void RefusePlatform(HttpContext context)
    {
        var platform = context.Text("platform");
        if (!string.IsNullOrEmpty(platform) && !ImagePlatforms.IsThisMachine(platform))
        {
            throw new ClusterException(ErrorKind.NotImplemented, $"This version keeps images for this machine's own platform only, not for {platform}.");
        }
    }

    // Progress comes from several threads; the lines go out in their order, by one writer.
    private static async Task<T> ReportingAsync<T>(
        ProgressStream stream, bool quiet, Func<IProgress<ImageProgress>?, Task<T>> work, CancellationToken cancellationToken)
    {
        if (quiet)
        {
            return await work(null);
        }
        var lines = Channel.CreateUnbounded<ImageProgress>(new UnboundedChannelOptions { SingleReader = true });
        var writing = WriteAllAsync(stream, lines.Reader, cancellationToken);
        try
        {
            return await work(new ChannelProgress(lines.Writer));
        }
        finally
        {
            lines.Writer.Complete();
            await writing;
        }
    }

    private static async Task WriteAllAsync(ProgressStream stream, ChannelReader<ImageProgress> lines, CancellationToken cancellationToken)
    {
        await foreach (var line in lines.ReadAllAsync(cancellationToken))
        {
            await stream.WriteAsync(
                new ProgressLine
                {
                    Status = line.Status,
                    Id = line.Id,
                    ProgressDetail = line.Total is null && line.Current is null ? null : new ProgressDetail(line.Current, line.Total),
                },
                cancellationToken);
        }
    }

    private static async Task<string> IdOfAsync(EngineServices services, string name, CancellationToken cancellationToken) =>
        (await services.Images.FindAsync(name, cancellationToken))?.Id ?? name;

    private sealed class ChannelProgress(ChannelWriter<ImageProgress> lines) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value) => lines.TryWrite(value);
    }
}
